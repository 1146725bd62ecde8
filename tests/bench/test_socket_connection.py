"""The driver's own WebSocket understands a real server: compressed or not, long or short, and its close codes."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.base import ServerExtensionFactory
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from tests.bench.socket_connection import SocketConnection

TEXTS = ["short", "more than 125 bytes " * 20, "more than 65,535 bytes " * 5000, "Größe 漢字"]
FACTORIES: dict[str, list[ServerExtensionFactory] | None] = {
    "plain": None,
    "deflate": [ServerPerMessageDeflateFactory()],
    "no context": [ServerPerMessageDeflateFactory(client_no_context_takeover=True)],
    "small windows": [ServerPerMessageDeflateFactory(server_max_window_bits=10, client_max_window_bits=9)],
}


@pytest.mark.parametrize("extensions", FACTORIES.values(), ids=FACTORIES.keys())
async def test_it_reads_and_confirms_what_a_server_sends(
    extensions: list[ServerExtensionFactory] | None,
) -> None:
    confirmed: list[str] = []

    async def talk(server: ServerConnection) -> None:
        for text in TEXTS:
            await server.send(text)
            confirmed.append(str(await server.recv()))
        await server.ping()
        await server.close(4012)

    got: list[str] = []
    closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(socket: SocketConnection, text: bytes, now: int) -> None:
        got.append(text.decode())
        socket.confirm()

    async with serve(talk, "127.0.0.1", 0, compression=None, extensions=extensions) as server:
        host, port = server.sockets[0].getsockname()
        socket = SocketConnection("/", {"Host": f"{host}:{port}"}, take, closed.set_result)
        await asyncio.get_running_loop().create_connection(lambda: socket, host, port)
        await socket.opened
        assert await asyncio.wait_for(closed, 10) == 4012
    assert got == TEXTS
    assert confirmed == [f'{{"received":{number + 1}}}' for number in range(len(TEXTS))]
    assert socket.frames_received == len(TEXTS)


async def test_a_refused_handshake_says_so() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        socket = SocketConnection("/", {"Host": host}, lambda *_: None, lambda _: None)
        await asyncio.get_running_loop().create_connection(lambda: socket, host, port)
        with pytest.raises(ConnectionError, match="403"):
            await socket.opened
