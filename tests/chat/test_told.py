"""What a page is told of an exchange is what it would have found by looking, and it need not look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from django.test import AsyncClient

from tests.chat.asking import ask, begin, send, until, until_ended
from tests.chat.history import tell
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.background import in_database, look_up
from webchat.chat import events, thread
from webchat.chat.events import Completed, Entitled, News
from webchat.chat.models import Conversation, Exchange
from webchat.chat.reader import Reader


@asynccontextmanager
async def told(conversation: Conversation) -> AsyncIterator[list[News | None]]:
    news: list[News | None] = []
    events.follow(conversation.pk, news.append)
    yield news
    events.leave(conversation.pk, news.append)


async def looked_up(pk: UUID) -> dict[UUID, thread.ShownMessage]:
    shown = await look_up(lambda: thread.load(Conversation.objects.get(pk=pk)).messages)
    return {message.pk: message for message in shown}


async def until_told(news: list[Any], kind: type) -> Any:
    async with asyncio.timeout(10):
        while not (found := [one for one in news if isinstance(one, kind)]):
            await asyncio.sleep(0.01)
    return found[0]


def title(tab: Tab) -> str | None:
    found = tab.page.find("#conversation-title")
    return found.text if found is not None else None


async def test_a_question_and_its_answer(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Hello", model="gpt-4")
    await until_ended(await conversation.messages.alast())
    async with told(conversation) as news:
        answer = await ask(alice_async, conversation, "And now?", model=slow)
        begun = thread.begun(await until_told(news, Exchange))
        found = await looked_up(conversation.pk)
        # It may have said something by now.
        assert begun[0] == found[begun[0].pk]
        assert (begun[1].pk, begun[1].sibling_count) == (answer.pk, found[answer.pk].sibling_count)
        completed = await until_told(news, Completed)
    assert begun[1].as_it_ended(completed.answers[0]) == (await looked_up(conversation.pk))[answer.pk]


async def test_several_answers(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Hello", model="gpt-4")
    await until_ended(await conversation.messages.alast())
    async with told(conversation) as news:
        await ask(alice_async, conversation, "And now?", model="gpt-4", n="3", temperature="0.5")
        begun = thread.begun(await until_told(news, Exchange))
        completed = await until_told(news, Completed)
    first = begun[1]
    assert first.sibling_count == 3
    assert first.as_it_ended(completed.answers[0]) == (await looked_up(conversation.pk))[first.pk]


async def test_a_page_looks_once(alice_async: AsyncClient, alice: User, slow: str) -> None:
    looks: list[UUID] = []

    class Looking(Reader):
        def _look(self) -> Any:
            looks.append(self._conversation_pk)
            return super()._look()

    frames: list[str] = []

    async def keep(frame: str) -> None:
        frames.append(frame)

    conversation = await in_database(tell, alice, "Hello", "Good morning", titled_by="person")
    header = thread.header_mark(conversation.title, conversation.model)
    reader = Looking(conversation.pk, shown=[], header=header, spent="", language="en", send=keep)
    events.follow(conversation.pk, reader.hear)
    following = asyncio.create_task(reader.follow())
    await until(lambda: len(frames) == 1)
    answer = await ask(alice_async, conversation, "And now?", model=slow)
    await until(
        lambda: any(f'id="message-{answer.pk}"' in one and 'data-state="complete"' in one for one in frames)
    )
    assert len(looks) == 1
    following.cancel()
    events.leave(conversation.pk, reader.hear)


async def test_a_page_that_shows_another_branch_looks(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Hello", model="gpt-4")
    first = await until_ended(await conversation.messages.alast())
    await send(alice_async, f"/messages/{first.pk}/answers/")
    second = await until_ended(await conversation.messages.alast())
    async with Tab(alice_async, conversation) as tab:
        await tab.until_ended()
        # Word of it got lost.
        await Conversation.objects.filter(pk=conversation.pk).aupdate(leaf=first)
        await ask(alice_async, conversation, "And now?", model="gpt-4")
        await tab.until(lambda tab: len(tab.page.texts()) == 4)
        await tab.until_ended()
        assert tab.page.find(f"#message-{first.pk}") is not None
        assert tab.page.find(f"#message-{second.pk}") is None


async def test_a_title_that_comes_after_a_persons_own_is_not_shown(
    alice_async: AsyncClient, slow: str
) -> None:
    conversation = await begin(alice_async, "Hello", model="gpt-4")
    await until_ended(await conversation.messages.alast())
    async with Tab(alice_async, conversation) as tab:
        await send(alice_async, f"/conversations/{conversation.pk}/rename/", title="Mine")
        await in_database(conversation.refresh_from_db)
        await events.conversation_changed(conversation.pk)
        await tab.until(lambda tab: title(tab) == "Mine")
        stale = Conversation(pk=conversation.pk, title="The model's", model="gpt-4")
        before = thread.header_mark("Hello", "gpt-4")
        await events.conversation_changed(conversation.pk, Entitled(stale, mark_before=before))
        await asyncio.sleep(0.3)
        assert title(tab) == "Mine"


async def test_a_page_that_is_far_behind_looks(alice_async: AsyncClient, alice: User) -> None:
    conversation = await in_database(tell, alice, "Hello", "Good morning", title="Mine")
    frames: list[str] = []
    goes_on = asyncio.Event()

    async def keep(frame: str) -> None:
        frames.append(frame)
        await goes_on.wait()

    reader = Reader(conversation.pk, shown=[], header="", spent="", language="en", send=keep)
    following = asyncio.create_task(reader.follow())
    await until(lambda: len(frames) == 1)
    # None of them stands in the database.
    marks = [thread.header_mark(title, "gpt-4") for title in ("Mine", *"012345")]
    for number, mark in enumerate(marks[:-1]):
        told_title = Conversation(pk=conversation.pk, title=str(number), model="gpt-4")
        reader.hear(Entitled(told_title, mark_before=mark))
    goes_on.set()
    await asyncio.sleep(0.3)
    assert ">Mine</h1>" in frames[-1]
    following.cancel()
