"""How do bytes become a request, and a reply bytes? Ordinary replies through h11, faults as they are."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import h11
import msgspec

from webchat.demo.memory import Memory
from webchat.demo.refusals import Refusal

BODY_LIMIT = 40 * 1024 * 1024
READ_SIZE = 65_536

Headers = Sequence[tuple[str, str]]


@dataclass(eq=False)
class Request:
    """A request as it came, and what became of it; tests look at these."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    opened_at: float = field(default_factory=time.monotonic)
    closed_at: float | None = None
    aborted: bool = False  # the client closed the connection before the reply was complete
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def wait_ended(self, timeout: float = 5) -> bool:
        """Whether the exchange ended within the time; for tests in another thread than the server's."""
        return self._ended.wait(timeout)

    async def ended(self, timeout: float = 5) -> bool:
        """The same for tests in the server's own loop."""
        return await asyncio.to_thread(self._ended.wait, timeout)

    def end(self, *, aborted: bool) -> None:
        self.aborted = aborted
        self.closed_at = time.monotonic()
        self._ended.set()


class Exchange:
    """One request and the way back to whoever sent it."""

    def __init__(
        self, request: Request, connection: h11.Connection, writer: asyncio.StreamWriter, memory: Memory
    ):
        self.request = request
        self.memory = memory
        self.is_raw = False
        self.more_headers: Headers = ()
        self._connection = connection
        self._writer = writer

    @property
    def has_begun(self) -> bool:
        return self.is_raw or self._connection.our_state is not h11.SEND_RESPONSE

    async def reply(self, status: int, content: bytes, content_type: str, headers: Headers = ()) -> None:
        always = [("content-type", content_type), ("content-length", str(len(content)))]
        start = h11.Response(status_code=status, headers=[*always, *headers, *self.more_headers])
        parts = [start, h11.Data(data=content), h11.EndOfMessage()]
        if self.request.method == "HEAD":
            parts.pop(1)
        await self._write(b"".join(self._connection.send(part) or b"" for part in parts))

    async def reply_json(self, status: int, document: object, headers: Headers = ()) -> None:
        await self.reply(status, msgspec.json.encode(document), "application/json", headers)

    async def reply_nothing(self, status: int) -> None:
        parts = [h11.Response(status_code=status, headers=list(self.more_headers)), h11.EndOfMessage()]
        await self._write(b"".join(self._connection.send(part) or b"" for part in parts))

    async def inform(self, status: int) -> None:
        await self._write(
            self._connection.send(h11.InformationalResponse(status_code=status, headers=[])) or b""
        )

    async def refuse(self, refusal: Refusal) -> None:
        await self.reply_json(refusal.status, refusal.document, refusal.headers)

    async def open_stream(self, content_type: str = "text/event-stream", headers: Headers = ()) -> None:
        always = [("content-type", content_type)]
        start = h11.Response(status_code=200, headers=[*always, *headers, *self.more_headers])
        await self._write(self._connection.send(start) or b"")

    async def send(self, data: bytes) -> None:
        await self._write(self._connection.send(h11.Data(data=data)) or b"")

    async def end(self, data: bytes = b"") -> None:
        # One write: a client that leaves at `[DONE]` has then been sent everything.
        parts = [h11.Data(data=data), h11.EndOfMessage()]
        await self._write(b"".join(self._connection.send(part) or b"" for part in parts))

    async def raw(self, data: bytes) -> None:
        """Bytes that no well-behaved server sends. The connection is not used again."""
        self.is_raw = True
        await self._write(data)

    async def leave(self) -> None:
        """Close the connection here and now, whatever was promised (FIN)."""
        self.is_raw = True
        self._writer.close()

    async def reset(self) -> None:
        """Tear the connection down (RST), after what was sent has had time to arrive."""
        self.is_raw = True
        await asyncio.sleep(0.05)
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


async def read_request(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next request of a connection, or None when the client has no more."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_ahead = h11.InformationalResponse(status_code=100, headers=[])
                writer.write(connection.send(go_ahead) or b"")
            connection.receive_data(await reader.read(READ_SIZE))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_LIMIT:
                raise h11.RemoteProtocolError("Too much.", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body))
        else:
            return None


def _request(head: h11.Request, body: bytes) -> Request:
    return Request(
        method=head.method.decode(),
        path=head.target.decode("latin-1").partition("?")[0],
        headers={name.decode(): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )
