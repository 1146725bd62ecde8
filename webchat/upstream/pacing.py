"""How often do we look at what the upstream has sent? No oftener than pages are told; the rest waits in the kernel.

A model's answer trickles: twenty chunks a second, each a packet. Woken by every one of them, the loop would spend
more on waking up than on their text.
"""

import ssl
from typing import Any

from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from webchat.tempo import Pause

# What comes first is wanted at once: the headers, the first words.
AT_ONCE = 4
# Whoever sends so much at a time sends a file, not words.
TRICKLE_BYTES = 16 * 1024


class PacedBackend(AsyncNetworkBackend):
    """Opens connections that are read at the process's tempo."""

    def __init__(self, backend: AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> AsyncNetworkStream:
        return PacedStream(await self._backend.connect_tcp(*args, **kwargs))

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> AsyncNetworkStream:
        return PacedStream(await self._backend.connect_unix_socket(*args, **kwargs))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class PacedStream(AsyncNetworkStream):
    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream = stream
        self._pause = Pause()
        self._reads = 0
        self._is_trickle = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._reads += 1
        if self._is_trickle and self._reads > AT_ONCE:
            await self._pause()
        data = await self._stream.read(max_bytes, timeout)
        self._is_trickle = len(data) < TRICKLE_BYTES
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._reads = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        return PacedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
