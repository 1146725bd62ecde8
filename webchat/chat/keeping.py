"""What of the answers that are arriving is written down? All of this process, together, every second at the latest."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import Error as DatabaseProblem

from webchat import background
from webchat.background import in_database
from webchat.chat.live import LiveAnswer
from webchat.chat.models import Message

CHECKPOINT_SECONDS = 0.8
# With nothing new to keep, a sign of life is enough.
HEARTBEAT_SECONDS = 5

logger = logging.getLogger(__name__)


@dataclass
class Arriving:
    """An answer on its way; `give_up` ends it when somebody else has ended it, or wants it stopped."""

    live: LiveAnswer
    give_up: Callable[[], None]
    kept: int
    beat: float

    def is_due(self, now: float) -> bool:
        return self.live.revision != self.kept or now - self.beat >= HEARTBEAT_SECONDS


_arriving: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, Arriving]] = WeakKeyDictionary()


def keep(live: LiveAnswer, give_up: Callable[[], None]) -> None:
    """From now on write down what arrives of this answer."""
    loop = asyncio.get_running_loop()
    if loop not in _arriving:
        _arriving[loop] = {}
    if not _arriving[loop]:
        background.spawn(_keep_all(_arriving[loop]), name="keeping")
    _arriving[loop][live.pk] = Arriving(live, give_up, live.revision, time.monotonic())


def leave(live: LiveAnswer) -> None:
    """Its end is saved by whoever brought it."""
    _arriving[asyncio.get_running_loop()].pop(live.pk, None)


async def _keep_all(arriving: dict[UUID, Arriving]) -> None:
    while arriving:
        await asyncio.sleep(CHECKPOINT_SECONDS)
        try:
            await _checkpoint(dict(arriving))
        except DatabaseProblem:
            logger.warning("The database did not take a checkpoint; it is tried again")


async def _checkpoint(arriving: dict[UUID, Arriving]) -> None:
    now = time.monotonic()
    texts = {pk: answer.live.text for pk, answer in arriving.items() if answer.is_due(now)}
    wanted = await in_database(Message.objects.all().checkpoint, texts)
    for pk, answer in arriving.items():
        if pk in texts:
            answer.kept, answer.beat = len(texts[pk]), now
        if pk not in wanted:
            answer.give_up()
