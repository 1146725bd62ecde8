"""What comes in on one connection to the upstream? A request goes out, and its reply is parsed as it arrives.

httpx brings a network of its own, in which each read goes through a dozen hands. This one is for what we do: HTTP/1.1,
one request at a time whose length is known, no proxy; and what was sent is read at our pace.
"""

import asyncio
import ssl
from asyncio import staggered
from collections.abc import AsyncIterable
from functools import partial
from typing import cast

import httptools

from .pacing import Pace

# Of two addresses the second is tried so long after the first (RFC 8305): IPv6 may lead nowhere.
SECONDS_BETWEEN_ADDRESSES = 0.25
# Headers are no file. What is announced before the reply (1xx) counts as well.
LONGEST_HEAD = 100 * 1024


class NoReply(Exception):
    """What came is no HTTP."""


class Connection(asyncio.Protocol):
    """Raises `NoReply`, or OSError when it is lost."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser: httptools.HttpResponseParser | None = None
        self._news: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._is_writable = self.is_open = True
        self._forget()

    def _forget(self) -> None:
        """The exchange before."""
        self.status, self.headers = 0, list[tuple[bytes, bytes]]()
        self._parts, self._waiting, self._head_size = list[bytes](), 0, 0
        self.is_over = self._is_until_close = self._may_stay = False

    # Coming

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> "Connection":
        loop = asyncio.get_running_loop()
        places = dict.fromkeys(place[4][0] for place in await loop.getaddrinfo(host, port, type=1))
        ways = [partial(loop.create_connection, cls, address, port) for address in places]
        if len(ways) > 1:
            found, _number, problems = await staggered.staggered_race(ways, SECONDS_BETWEEN_ADDRESSES)
            if found is None:
                raise next(filter(None, problems))
        else:
            found = await ways[0]()
        connection: Connection = found[1]
        if tls:
            await connection._begin_tls(tls, host)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = self._transport = cast(asyncio.Transport, transport)
        self._pace = Pace(self._wire)

    async def _begin_tls(self, tls: ssl.SSLContext, host: str) -> None:
        try:
            begun = await self._loop.start_tls(self._wire, self, tls, server_hostname=host)
        except BaseException:
            self._wire.abort()
            raise
        self._transport = cast(asyncio.Transport, begun)

    # Asking

    async def ask(self, head: bytes, body: AsyncIterable[bytes], patience: float | None) -> None:
        """Sends all of it, or until there is a reply: perhaps nobody wants to read so much.

        `patience` is how many seconds nothing of it may be read.
        """
        self._forget()
        self._parser = httptools.HttpResponseParser(self)
        self._pace.begin()
        async for part in body:
            self._transport.write(head + part)
            head = b""
            if not self._is_writable:
                async with asyncio.timeout(patience):
                    await self._until_writable()
            if self.status or self._error:
                return
        if head:
            self._transport.write(head)
        self._may_stay = True

    async def _until_writable(self) -> None:
        while not (self._is_writable or self.status or self._error):
            await self._wait()

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._tell()

    # Reading

    async def read_head(self) -> None:
        """`status` and `headers` are known then."""
        while not self.status:
            await self._wait()

    async def read(self) -> bytes:
        """All that has come; empty at the end."""
        while not self._parts and not self.is_over:
            await self._wait()
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._waiting = [], 0
        self._pace.taken()
        return data

    async def _wait(self) -> None:
        if self._error:
            raise self._error
        self._news = self._loop.create_future()
        try:
            await self._news
        finally:
            self._news = None

    def _tell(self) -> None:
        if self._news and not self._news.done():
            self._news.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self.is_over:
            # Nobody has asked for it; whoever asks next must not get it.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(NoReply())
            return
        self._head_size += 0 if self.status else len(data)
        if self._head_size > LONGEST_HEAD:
            self._fail(NoReply())
            return
        if self.is_over:
            self._pace.end()
        else:
            self._pace.look(len(data), self._waiting)
        self._tell()

    # What the parser finds

    def on_message_begin(self) -> None:
        if self.is_over:
            self._may_stay = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser
        status = self._parser.get_status_code()
        if self.is_over or status < 200:
            self.headers.clear()
            return
        self.status = status
        names = {name.lower() for name, _value in self.headers}
        self._is_until_close = not names & {b"content-length", b"transfer-encoding"}

    def on_body(self, part: bytes) -> None:
        if not self.is_over:
            self._parts.append(part)
            self._waiting += len(part)

    def on_message_complete(self) -> None:
        assert self._parser
        if self.status:
            self.is_over = True
            self._may_stay = self._may_stay and self._parser.should_keep_alive()

    # Going

    @property
    def may_stay(self) -> bool:
        """Whether it can be used again."""
        return self.is_open and self.is_over and self._may_stay and not self._error

    def close(self) -> None:
        self.is_open = False
        self._pace.end()
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._pace.end()
        if self._is_until_close and error is None:
            self.is_over = True
            self._tell()
        else:
            self._fail(ConnectionResetError())

    def _fail(self, error: Exception) -> None:
        if not self.is_over:
            self._error = self._error or error
        self._tell()
        if self.is_open:
            self.close()
