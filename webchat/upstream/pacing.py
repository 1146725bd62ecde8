"""How often do we look at what the upstream has sent? No oftener than pages are told; the rest waits in the kernel.

A model's answer trickles: twenty chunks a second, each a packet. Woken by every one of them, the loop would spend
more on waking up than on their text.
"""

import asyncio

from webchat.tempo import tempo

# What comes first is wanted at once: the headers, a beginning without words, the first words.
AT_ONCE = 3
# Whoever sends so much at a time sends a file, not words.
TRICKLE_BYTES = 16 * 1024
# What nobody takes waits in the kernel too.
MOST_WAITING = 256 * 1024


class Pace:
    """Of one connection. It must be that below TLS, which hands out its records one by one."""

    def __init__(self, wire: asyncio.ReadTransport) -> None:
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_full = False
        self.begin()

    def begin(self) -> None:
        """A request goes out."""
        self._reads = 0
        self._next = 0.0

    def look(self, size: int, waiting: int) -> None:
        """So much has come; so much of it nobody has taken yet."""
        self._reads += 1
        self._is_full = waiting > MOST_WAITING
        now = self._loop.time()
        if self._next <= now:
            self._next = now + tempo.interval
        elif size < TRICKLE_BYTES and self._reads >= AT_ONCE and self._timer is None:
            self._timer = self._loop.call_at(self._next, self._go_on)
        if self._is_full or self._timer:
            self._wire.pause_reading()

    def taken(self) -> None:
        if self._is_full:
            self._is_full = False
            self._resume()

    def _go_on(self) -> None:
        self._timer = None
        self._next = self._loop.time() + tempo.interval
        self._resume()

    def _resume(self) -> None:
        if not (self._is_full or self._timer or self._wire.is_closing()):
            self._wire.resume_reading()

    def end(self) -> None:
        """All has been read: whatever else happens is wanted at once."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._is_full = False
        self._resume()
