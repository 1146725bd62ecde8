"""Who sends too much, and waits? Daphne itself lets nobody wait, and keeps in memory what a client does not read."""

import asyncio
from typing import Any


class Outlet:
    """What a connection writes to. Twisted says when 64 KiB have been written and not yet left, and when they have."""

    # Set when they have.
    _is_read: asyncio.Event | None = None

    @property
    def is_full(self) -> bool:
        return self._is_read is not None

    async def until_read(self) -> None:
        if self._is_read:
            await self._is_read.wait()

    def pauseProducing(self) -> None:
        self._is_read = self._is_read or asyncio.Event()

    def resumeProducing(self) -> None:
        if self._is_read:
            self._is_read.set()
            self._is_read = None

    def stopProducing(self) -> None:
        """There will be nobody to read it."""
        self.resumeProducing()


def unread(transport: Any) -> int:
    """How many bytes has a connection been given that have not left yet?"""
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
