"""Stop stops: the upstream's connection is closed at once, and what had arrived is kept."""

import asyncio
import time

from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, send, until_ended, until_text
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.allocation.models import UsageRecord
from webchat.chat.models import Message
from webchat.demo.server import DemoServer

COUNT = "Count to 400"
COUNTED = ", ".join(map(str, range(1, 401)))


async def stop(client: AsyncClient, answer: Message) -> None:
    assert (await send(client, f"/messages/{answer.pk}/stop/", htmx=True)).status_code == 204


async def test_stop_closes_the_upstream(alice_async: AsyncClient, slow: str, upstream: DemoServer) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    answer = await until_text(await last_answer(conversation), 10)
    pressed_at = time.monotonic()
    await stop(alice_async, answer)
    request = upstream.requests[-1]
    assert await request.ended(3)
    assert request.aborted and request.closed_at is not None and request.closed_at - pressed_at < 1


async def test_the_text_so_far_is_kept_and_settled(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    kept = await until_text(await last_answer(conversation), 10)
    await stop(alice_async, kept)
    answer = await until_ended(kept)
    assert answer.state == "stopped" and answer.ended_at
    assert answer.text.startswith(kept.text) and COUNTED.startswith(answer.text)
    usage = await UsageRecord.objects.aget()
    assert (usage.outcome, usage.origin) == ("stopped", "estimated")
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0


async def test_stopped_before_the_first_word(
    alice_async: AsyncClient, slow: str, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    answer = await last_answer(conversation)
    await stop(alice_async, answer)
    assert (await until_ended(answer)).state == "stopped"
    following = await until_ended(await ask(alice_async, conversation, "Say this is a test!", model="gpt-4"))
    assert following.text == "This is a test!"


async def test_every_page_sees_that_it_was_stopped(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    async with Tab(alice_async, conversation) as one, Tab(alice_async, conversation) as other:
        await one.until_shown(20)
        await stop(alice_async, await last_answer(conversation))
        for tab in (one, other):
            await tab.until(lambda tab: tab.page.states()[-1] == "stopped", seconds=5)
        answer = await last_answer(conversation)
        assert (
            one.page.texts()[-1]
            == other.page.texts()[-1]
            == answer.text.rstrip(" ,") + ("," if answer.text.rstrip().endswith(",") else "")
        )


async def test_another_device_may_stop(alice_async: AsyncClient, alice: User, slow: str) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    answer = await until_text(await last_answer(conversation), 1)
    phone = AsyncClient()
    await phone.aforce_login(alice)
    await stop(phone, answer)
    assert (await until_ended(answer)).state == "stopped"


async def test_somebody_else_may_not(alice_async: AsyncClient, bob: User, slow: str) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    answer = await until_text(await last_answer(conversation), 1)
    bobs = AsyncClient()
    await bobs.aforce_login(bob)
    assert (await send(bobs, f"/messages/{answer.pk}/stop/", htmx=True)).status_code == 404
    await asyncio.sleep(0.2)
    assert (await last_answer(conversation)).is_running


async def test_stopping_twice_or_too_late_changes_nothing(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    answer = await until_ended(await last_answer(conversation))
    await stop(alice_async, answer)
    assert (await last_answer(conversation)).state == "complete"
    counting = await until_text(await ask(alice_async, conversation, COUNT, model=slow), 1)
    await asyncio.gather(*(stop(alice_async, counting) for _ in range(3)))
    assert (await until_ended(counting)).state == "stopped"
    assert await UsageRecord.objects.filter(source="chat", outcome="stopped").acount() == 1


async def test_deleting_a_conversation_stops_its_answer(
    alice_async: AsyncClient, slow: str, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    answer = await until_text(await last_answer(conversation), 1)
    await send(alice_async, f"{conversation.get_absolute_url()}delete/")
    assert (await until_ended(answer)).state == "stopped"
    assert await upstream.requests[-1].ended(3) and upstream.requests[-1].aborted
