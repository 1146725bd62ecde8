"""Who has to look again? Small hints through the channel layer; what has changed is read from the database.

A hint may get lost: every socket begins with a fresh look, and looks again by itself while it waits for an
answer that another process brings.
"""

import logging
from collections.abc import Awaitable
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)


def conversation_group(pk: UUID) -> str:
    return f"conversation-{pk}"


async def conversation_changed(pk: UUID) -> None:
    """Its messages, their states, or its title are no longer what readers see."""
    await _try(get_channel_layer().group_send(conversation_group(pk), {"type": "conversation.changed"}))


def tell_conversation_changed(pk: UUID) -> None:
    """The same, from a view."""
    async_to_sync(conversation_changed)(pk)


async def subscribe(group: str, channel: str) -> None:
    await _try(get_channel_layer().group_add(group, channel))


async def unsubscribe(group: str, channel: str) -> None:
    await _try(get_channel_layer().group_discard(group, channel))


async def _try(layer_call: Awaitable[None]) -> None:
    try:
        await layer_call
    except Exception as error:
        # Redis is away. What was saved stays saved; readers find out by themselves, a little later.
        logger.warning("The channel layer did not answer: %s", type(error).__name__)
