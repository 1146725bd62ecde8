"""How does an answer look here that another process brings? Its text crosses the channel layer, once per process.

The layer may lose messages at any time: each says where in the text it belongs, and a gap is filled from the
last checkpoint, at most a second later.
"""

import asyncio
from typing import Any
from uuid import UUID

from django.conf import settings

from webchat import background
from webchat.background import look_up
from webchat.chat import events
from webchat.chat.live import LiveAnswer
from webchat.chat.models import Message

# Many chunks fold into one message.
PUBLISH_SECONDS = 0.05
# So long without a word, and the row is looked at.
LOOK_SECONDS = 1

_mirrors: dict[UUID, LiveAnswer] = {}


def publish(answer: LiveAnswer) -> None:
    """Let other processes see this answer grow. Alone there is nobody to tell."""
    if settings.REDIS_URL:
        background.spawn(_publish(answer), name=f"publisher of {answer.pk}")


async def _publish(answer: LiveAnswer) -> None:
    news = asyncio.Event()
    answer.wake(news)
    published = answer.revision
    while not answer.has_ended:
        await news.wait()
        news.clear()
        if answer.revision > published:
            delta = answer.text[published:]
            await events.answer_grew(answer.pk, published, delta)
            published += len(delta)
        await asyncio.sleep(PUBLISH_SECONDS)


def of(pk: UUID, text: str) -> LiveAnswer | None:
    """The likeness of an answer that another process brings, of which `text` is kept; None without others."""
    if not settings.REDIS_URL:
        return None
    if pk not in _mirrors:
        _mirrors[pk] = LiveAnswer(pk, text)
        background.spawn(_reflect(_mirrors[pk]), name=f"mirror of {pk}")
    return _mirrors[pk]


async def _reflect(answer: LiveAnswer) -> None:
    try:
        async with events.listen(events.answer_group(answer.pk)) as heard:
            is_running = await _catch_up(answer)
            while is_running:
                if not await _take(answer, heard):
                    is_running = await _catch_up(answer)
    finally:
        _mirrors.pop(answer.pk, None)
        answer.end()


async def _take(answer: LiveAnswer, heard: "asyncio.Queue[dict[str, Any]]") -> bool:
    """False when nothing came for a while, or something before it is missing."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            grown = await heard.get()
    except TimeoutError:
        return False
    if answer.append(grown["offset"], grown["delta"]):
        return True
    # The missing part is in the next checkpoint.
    await asyncio.sleep(LOOK_SECONDS / 2)
    return False


async def _catch_up(answer: LiveAnswer) -> bool:
    """Take over what was kept; tells whether more can come."""
    row = await look_up(Message.objects.filter(pk=answer.pk).first)
    if row is None or not row.is_running:
        return False
    answer.append(0, row.text)
    return True
