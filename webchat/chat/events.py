"""Who has to look again? Small hints; what has changed is read from the database.

Readers of this process are told directly, and often what has changed, so that they need not look; those of others
through the channel layer. There a hint may get lost: every socket begins with a fresh look, and with several
processes it looks again by itself now and then.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from webchat.chat.models import Conversation, Exchange, Message

RETRY_SECONDS = 1
# A Redis that hangs must not hold up whoever sends a message.
LAYER_SECONDS = 2


@dataclass(frozen=True)
class Completed:
    """All answers of a call, as they have been saved, with what was settled."""

    answers: list[Message]


@dataclass(frozen=True)
class Entitled:
    """The conversation has another title than when its header bore this mark."""

    conversation: Conversation
    mark_before: str


# What has changed, when it is known. Whoever shows something else than what it follows has to look.
News = Exchange | Completed | Entitled
Hear = Callable[[News | None], None]

logger = logging.getLogger(__name__)
_readers: defaultdict[UUID, set[Hear]] = defaultdict(set)


def conversation_group(pk: UUID) -> str:
    return f"conversation-{pk}"


def answer_group(pk: UUID) -> str:
    """For the processes that show an answer which another one brings."""
    return f"answer-{pk}"


def stop_group(usage_id: UUID) -> str:
    """For the process that makes a call."""
    return f"stop-{usage_id}"


def follow(pk: UUID, hear: Hear) -> None:
    """Call this whenever the conversation has changed."""
    _readers[pk].add(hear)


def leave(pk: UUID, hear: Hear) -> None:
    _readers[pk].discard(hear)
    if not _readers[pk]:
        del _readers[pk]


async def conversation_changed(pk: UUID, news: News | None = None) -> None:
    """Its messages, their states, or its title are no longer what readers see."""
    for hear in tuple(_readers.get(pk, ())):
        hear(news)
    await _send(conversation_group(pk), {"type": "conversation.changed"})


def tell_conversation_changed(pk: UUID) -> None:
    """The same, from a view."""
    async_to_sync(conversation_changed)(pk)


async def answer_grew(pk: UUID, offset: int, delta: str) -> None:
    await _send(answer_group(pk), {"type": "answer.grew", "offset": offset, "delta": delta})


async def stop_wanted(usage_id: UUID) -> None:
    await _send(stop_group(usage_id), {"type": "stop.wanted"})


@asynccontextmanager
async def listen(group: str) -> AsyncIterator["asyncio.Queue[dict[str, Any]]"]:
    """For a task without a socket: what is sent to a group."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    ears = asyncio.create_task(_listen(group, heard))
    try:
        yield heard
    finally:
        ears.cancel()


async def _listen(group: str, heard: "asyncio.Queue[dict[str, Any]]") -> None:
    layer = get_channel_layer()
    while True:
        channel = ""
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
            while True:
                # Never with a timeout: a cancelled `receive` gives its channel up.
                heard.put_nowait(await layer.receive(channel))
        except Exception as error:
            logger.warning("The channel layer did not answer: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            await _try(layer.group_discard(group, channel))


async def _send(group: str, message: dict[str, Any]) -> None:
    if settings.REDIS_URL:
        await _try(get_channel_layer().group_send(group, message))


async def _try(layer_call: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(LAYER_SECONDS):
            await layer_call
    except Exception as error:
        # Redis is away. What was saved stays saved; readers of other processes find out a little later.
        logger.warning("The channel layer did not answer: %s", type(error).__name__)
