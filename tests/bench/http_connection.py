"""How does the bench speak HTTP? One kept-alive connection for each person, as a browser has; and nothing parsed twice."""

import asyncio
import gzip
import time
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools


@dataclass
class Reply:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def cookies(self) -> dict[str, str]:
        pairs = [value.split(";")[0] for name, value in self.headers if name == "set-cookie"]
        return dict(pair.split("=", 1) for pair in pairs)


class HttpConnection:
    """Connects when it has to: servers close what was silent for long."""

    def __init__(self, url: str, source: str = "127.0.0.1") -> None:
        self._address = address_of(url)
        self._source = source
        self._protocol: _Http | None = None
        self.sent_at = 0

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """`sent_at` is then when the first byte was given to the kernel, in microseconds since the epoch."""
        protocol = await self._connected()
        host, port = self._address
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        request = "\r\n".join([*lines, "", ""]).encode() + body
        self.sent_at = time.time_ns() // 1000
        return await protocol.exchange(request)

    async def _connected(self) -> "_Http":
        if self._protocol is None or self._protocol.is_closed:
            loop = asyncio.get_running_loop()
            _, self._protocol = await loop.create_connection(
                _Http, *self._address, local_addr=(self._source, 0)
            )
        return self._protocol

    def close(self) -> None:
        if self._protocol:
            self._protocol.close()


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


class _Http(asyncio.Protocol):
    is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._answered: asyncio.Future[Reply] | None = None

    async def exchange(self, request: bytes) -> Reply:
        self._parser = httptools.HttpResponseParser(self)
        self._reply = Reply()
        self._body: list[bytes] = []
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reply.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._reply.status = self._parser.get_status_code()
        self._reply.body = b"".join(self._body)
        if ("content-encoding", "gzip") in self._reply.headers:
            self._reply.body = gzip.decompress(self._reply.body)
        if not self._parser.should_keep_alive():
            self.close()
        if self._answered and not self._answered.done():
            self._answered.set_result(self._reply)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._answered and not self._answered.done():
            self._answered.set_exception(ConnectionError("the connection was closed before the reply"))

    def close(self) -> None:
        self.is_closed = True
        self._transport.close()
