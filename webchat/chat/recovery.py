"""What becomes of an answer whose process died? It ends as interrupted, with the text that was kept."""

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import transaction
from django.utils import timezone

from webchat import background
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import UsageRecord
from webchat.background import in_database
from webchat.chat import events, live, prompt
from webchat.chat.models import Message
from webchat.chat.models.message import LOST_AFTER
from webchat.upstream import tokens

SWEEP_SECONDS = 5
MOST_SECONDS_FOR_A_LOCK = 1

logger = logging.getLogger(__name__)
_watchers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def watch() -> None:
    """Look for lost answers as long as this process lives; asked twice, it is done once."""
    loop = asyncio.get_running_loop()
    if loop not in _watchers or _watchers[loop].done():
        _watchers.clear()
        _watchers[loop] = background.spawn(_sweep(), name="recovery", endless=True)


async def _sweep() -> None:
    while True:
        try:
            for message in await in_database(end_lost_answers):
                await events.conversation_changed(message.conversation_id)
            await in_database(settle_lost_calls)
        except DatabaseProblem:
            # Others could not give a sign of life either.
            logger.warning("The database is away; lost answers are looked for later")
            await asyncio.sleep(LOST_AFTER.total_seconds())
        await asyncio.sleep(SWEEP_SECONDS)


def end_lost_answers() -> list[Message]:
    """End what no process works on any more, and settle what it took; returns the answers that were ended."""
    # A process that was held (SIGSTOP, a laptop's lid) still has its answers, however old their sign of life.
    lost = Message.objects.lost().exclude(pk__in=live.running()).select_related("conversation", "usage")
    return [message for message in lost if _end(message)]


def _end(message: Message) -> bool:
    asked_at = time.monotonic()
    with transaction.atomic():
        # While the database was locked, those who are alive could not say so; they are given time for it.
        has_waited = time.monotonic() - asked_at > MOST_SECONDS_FOR_A_LOCK
        return not has_waited and _end_now(message)


def _end_now(message: Message) -> bool:
    if not Message.objects.lost().filter(pk=message.pk).exists() or not message.end(
        Message.State.INTERRUPTED
    ):
        return False
    logger.info("Answer %s was lost with its process and is now interrupted", message.pk)
    if message.usage:
        spent = Spent(
            Message.State.INTERRUPTED,
            estimated_prompt_tokens=prompt.estimate(message.conversation, message.parent_id),
            estimated_completion_tokens=sum(map(tokens.estimate, _texts_of(message.usage.pk))),
        )
        metering.settle(message.usage, spent)
    return True


def _texts_of(usage_id: UUID) -> Iterable[str]:
    return Message.objects.filter(usage_id=usage_id).values_list("text", flat=True)


def settle_lost_calls() -> None:
    """Settle calls without an answer (for a title, say) that were lost with their process."""
    begun_before = timezone.now() - timedelta(seconds=settings.UPSTREAM_TOTAL_SECONDS)
    reserved = UsageRecord.objects.filter(outcome=UsageRecord.Outcome.RESERVED, created_at__lt=begun_before)
    for record in reserved.exclude(answers__state__in=Message.RUNNING):
        metering.settle(record, Spent(UsageRecord.Outcome.INTERRUPTED))
