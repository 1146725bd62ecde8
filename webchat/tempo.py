"""How often is often enough? Every 40 ms alone, which nobody can tell from at once; seldomer when there is much to do.

When hundreds of answers arrive, most of the work is not their text but the waking up: to read, to draw, to send.
At twice the interval it is half of it, and the pages still move several times a second.
"""

import asyncio
import time

QUICKEST_SECONDS = 0.04
SLOWEST_SECONDS = 0.15
# The part of a core that this process may take before it slows down.
COMFORT = 0.25
LOOK_SECONDS = 0.1


class Tempo:
    """Of this process. Looks at what it takes whenever somebody asks, so it needs no task of its own."""

    def __init__(self) -> None:
        self._interval = QUICKEST_SECONDS
        self._looked_at, self._taken = time.monotonic(), time.process_time()

    @property
    def interval(self) -> float:
        """Seconds between two frames for a page, and between two looks at what the upstream sent."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            taken = time.process_time()
            self._adapt((taken - self._taken) / (now - self._looked_at))
            self._looked_at, self._taken = now, taken
        return self._interval

    def _adapt(self, load: float) -> None:
        factor = min(max(load / COMFORT, 0.8), 2)
        self._interval = min(max(self._interval * factor, QUICKEST_SECONDS), SLOWEST_SECONDS)


tempo = Tempo()


class Pause:
    """Keeps a moment apart from the one before: none comes sooner than a share of an interval after it."""

    def __init__(self, share: float = 1) -> None:
        self._share = share
        self._next = 0.0

    async def __call__(self, at_least: float = 0) -> None:
        loop = asyncio.get_running_loop()
        if (left := self._next - loop.time()) > 0:
            await asyncio.sleep(left)
        self._next = loop.time() + max(tempo.interval * self._share, at_least)
