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


class Keeper:
    """Of one event loop."""

    def __init__(self) -> None:
        self._arriving: dict[UUID, Arriving] = {}
        self._task: asyncio.Task[None] | None = None
        # Of two that wait for a locked database the older could come last.
        self._turn = asyncio.Lock()

    def keep(self, live: LiveAnswer, give_up: Callable[[], None]) -> None:
        self._arriving[live.pk] = Arriving(live, give_up, live.revision, time.monotonic())
        if self._task is None or self._task.done():
            self._task = background.spawn(self._keep_all(), name="keeping")

    def leave(self, live: LiveAnswer) -> None:
        self._arriving.pop(live.pk, None)

    async def _keep_all(self) -> None:
        while self._arriving:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self.keep_now()

    async def keep_now(self) -> None:
        try:
            async with self._turn:
                await self._checkpoint(dict(self._arriving))
        except DatabaseProblem:
            logger.warning("The database did not take a checkpoint; it is tried again")

    async def _checkpoint(self, arriving: dict[UUID, Arriving]) -> None:
        now = time.monotonic()
        texts = {pk: answer.live.text for pk, answer in arriving.items() if answer.is_due(now)}
        wanted = await in_database(Message.objects.all().checkpoint, texts)
        for pk, answer in arriving.items():
            if pk in texts:
                answer.kept, answer.beat = len(texts[pk]), now
            # One that has ended meanwhile, by itself, is nobody's to end.
            if pk not in wanted and self._arriving.get(pk) is answer:
                answer.give_up()


_keepers: WeakKeyDictionary[asyncio.AbstractEventLoop, Keeper] = WeakKeyDictionary()


def keep(live: LiveAnswer, give_up: Callable[[], None]) -> None:
    """From now on write down what arrives of this answer."""
    _here().keep(live, give_up)


def leave(live: LiveAnswer) -> None:
    """Its end is saved by whoever brought it."""
    _here().leave(live)


async def now() -> None:
    """Do not wait for the next time: what has arrived is written down when this returns, if the database lets it."""
    await _here().keep_now()


def _here() -> Keeper:
    return _keepers.setdefault(asyncio.get_running_loop(), Keeper())
