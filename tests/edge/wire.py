"""Clients that do what no browser does: bytes on a connection, a websocket by hand."""

import asyncio
import base64
import os
import socket
import struct
from typing import Self

from tests.edge.fortress import Fortress, Person, Talker

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
Server = Fortress | Talker
# As Linux counts the states of TCP
CLOSED = 7
DEFLATE = "permessage-deflate; client_max_window_bits"


class Wire:
    """One connection. It reads nothing ahead."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, server: Server, *, reads_little: bool = False) -> Self:
        connection = socket.socket()
        if reads_little:
            # Of what it has not read, the system keeps a few kilobytes only.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
        return cls(*await asyncio.open_connection(sock=connection, limit=4096))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, seconds: float = 10) -> bytes:
        """All that comes until the other side closes."""
        async with asyncio.timeout(seconds):
            try:
                return await self.reader.read(-1)
            except ConnectionError:
                return b""

    async def until_closed(self, seconds: float) -> float:
        """After how many seconds the other side has closed."""
        began = asyncio.get_running_loop().time()
        await self.answer(seconds)
        return asyncio.get_running_loop().time() - began

    def is_reset(self) -> bool:
        state = self.writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return bool(state[0] == CLOSED)

    def close(self) -> None:
        self.writer.transport.abort()


class Socket(Wire):
    """A websocket."""

    async def shake_hands(self, server: Server, path: str, session: str = "", **headers: str) -> str:
        """The first line of what it answers."""
        sent = {
            "Host": f"127.0.0.1:{server.port}",
            "Origin": server.site_url,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Extensions": DEFLATE,
            "Cookie": f"sessionid={session}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value)]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin1"))
        self.head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1")
        return self.head.partition("\r\n")[0]

    async def read_frame(self) -> tuple[int, bytes]:
        first, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 15, await self.reader.readexactly(length)

    async def live(self) -> int | None:
        """As a browser does it, confirming nothing, until it ends; the close code, if there was one."""
        try:
            while True:
                kind, payload = await self.read_frame()
                if kind == PING:
                    await self.send(frame(payload, PONG))
                if kind == CLOSE:
                    await self.send(frame(payload[:2], CLOSE))
                    return int.from_bytes(payload[:2], "big")
        except (OSError, asyncio.IncompleteReadError):
            return None


def frame(payload: bytes, kind: int = TEXT, *, is_last: bool = True, is_compressed: bool = False) -> bytes:
    """Masked with zeros, which changes nothing."""
    first = kind | 0x80 * is_last | 0x40 * is_compressed
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    elif len(payload) < 2**16:
        length = struct.pack("!BH", 0x80 | 126, len(payload))
    else:
        length = struct.pack("!BQ", 0x80 | 127, len(payload))
    return bytes([first]) + length + bytes(4) + payload


async def open_socket(
    server: Server, person: Person, *, reads_little: bool = False, **headers: str
) -> Socket:
    """That of a person's conversation; the talker talks to everybody."""
    session, conversation = person
    path = f"/ws/conversations/{conversation}/" if isinstance(server, Fortress) else conversation
    client = await Socket.open(server, reads_little=reads_little)
    first = await client.shake_hands(server, path, session, **headers)
    assert first == "HTTP/1.1 101 Switching Protocols", first
    return client
