"""A reader that is behind misses nothing, even when no hint through the channel layer reaches it."""

import asyncio

from asgiref.sync import sync_to_async

from tests.chat.asking import until
from tests.chat.history import add, tell
from webchat.accounts.models import User
from webchat.chat import live, thread
from webchat.chat.live import LiveAnswer, Notice
from webchat.chat.models import Message
from webchat.chat.reader import Reader


@sync_to_async
def running_answer(alice: User) -> Message:
    conversation = tell(alice, "Question", titled_by="person")
    answer = add(conversation, conversation.leaf, "", state="pending")
    conversation.leaf = answer
    conversation.save()
    return answer


async def behind(answer: Message) -> tuple[LiveAnswer, list[str], asyncio.Task[None]]:
    """A reader that was sent more than its page has confirmed."""
    frames: list[str] = []

    async def send(frame: str) -> None:
        frames.append(frame)

    growing = live.begin(answer.pk)
    header = thread.header_mark(answer.conversation.title, answer.conversation.model)
    reader = Reader(answer.conversation_id, shown=[], header=header, spent="", language="en", send=send)
    following = asyncio.create_task(reader.follow())
    await until(lambda: len(frames) == 1)
    reader.confirm(0)
    for word in ("one ", "two ", "three "):
        sent = len(frames)
        growing.append(growing.revision, word)
        await until(lambda sent=sent: len(frames) > sent)
    return growing, frames, following


async def test_the_end_of_an_answer(transactional_db: None, alice: User) -> None:
    answer = await running_answer(alice)
    growing, frames, following = await behind(answer)
    await Message.objects.filter(pk=answer.pk).aupdate(state="complete", text="one two three ")
    growing.end()
    await until(lambda: 'data-state="complete"' in frames[-1])
    following.cancel()


async def test_why_nothing_comes(transactional_db: None, alice: User) -> None:
    answer = await running_answer(alice)
    growing, frames, following = await behind(answer)
    growing.show_notice(Notice("upstream_down", {}, until=0))
    await until(lambda: "message__note" in frames[-1])
    growing.end()
    following.cancel()
