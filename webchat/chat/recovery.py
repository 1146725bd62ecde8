"""What becomes of an answer whose process died? It ends as interrupted, with the text that was kept."""

import asyncio
import logging

from django.db import DatabaseError, transaction

from webchat import background
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.background import in_database
from webchat.chat import events, live
from webchat.chat.models import Message
from webchat.upstream import tokens

SWEEP_SECONDS = 5

logger = logging.getLogger(__name__)
_watchers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def watch() -> None:
    """Look for lost answers as long as this process lives; asked twice, it is done once."""
    loop = asyncio.get_running_loop()
    if loop not in _watchers or _watchers[loop].done():
        _watchers.clear()
        _watchers[loop] = background.spawn(_sweep(), name="recovery")


async def _sweep() -> None:
    while True:
        try:
            for message in await in_database(end_lost_answers):
                await events.conversation_changed(message.conversation_id)
        except DatabaseError:
            logger.warning("The database is away; lost answers are looked for later")
        await asyncio.sleep(SWEEP_SECONDS)


def end_lost_answers() -> list[Message]:
    """End what no process works on any more, and settle what it took; returns the answers that were ended."""
    # A process that was held (SIGSTOP, a laptop's lid) still has its answers, however old their sign of life.
    lost = Message.objects.lost().exclude(pk__in=live.running()).select_related("parent")
    return [message for message in lost if _end(message)]


@transaction.atomic
def _end(message: Message) -> bool:
    if not message.end(Message.State.INTERRUPTED):
        return False
    logger.info("Answer %s was lost with its process and is now interrupted", message.pk)
    if message.usage_id:
        spent = Spent(
            Message.State.INTERRUPTED,
            estimated_prompt_tokens=tokens.estimate(message.parent.text) if message.parent else 0,
            estimated_completion_tokens=tokens.estimate(message.text),
        )
        metering.settle(message.usage_id, spent)
    return True
