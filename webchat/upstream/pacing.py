"""How often do we look at what the upstream has sent? No oftener than pages are told; the rest waits in the kernel.

A model's answer trickles: twenty chunks a second, each a packet. Woken by every one of them, the loop would spend
more on waking up than on their text.
"""

from collections.abc import Callable, Mapping
from typing import Any

from anyio.abc import ByteStream
from httpcore import AnyIOBackend, AsyncNetworkStream

from webchat.tempo import Pause

# What comes first is wanted at once: the headers, the first words.
AT_ONCE = 4
# Whoever sends so much at a time sends a file, not words.
TRICKLE_BYTES = 16 * 1024


class PacedBackend(AnyIOBackend):
    """Opens connections that are read at the process's tempo."""

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> AsyncNetworkStream:
        stream = await super().connect_tcp(*args, **kwargs)
        # Below TLS, which hands out its records one by one: there each would have to wait for the next look.
        stream._stream = PacedBytes(stream._stream)  # type: ignore[attr-defined]
        return stream


class PacedBytes(ByteStream):
    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._pause = Pause()
        self._reads = 0
        self._is_trickle = False

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes

    async def receive(self, max_bytes: int = 65536) -> bytes:
        self._reads += 1
        if self._is_trickle and self._reads > AT_ONCE:
            await self._pause()
        data = await self._stream.receive(max_bytes)
        self._is_trickle = len(data) < TRICKLE_BYTES
        return data

    async def send(self, item: bytes) -> None:
        self._reads = 0
        await self._stream.send(item)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()
