"""Requests that no browser sends: refused in a word, or understood in one way only."""

import asyncio

import pytest

from tests.edge.fortress import Fortress
from tests.edge.wire import TEXT, Socket, Wire

GET = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
POST = "POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
REFUSED = {
    "a length and chunks": f"{POST}Content-Length: 4\r\n{CHUNKED}\r\n0\r\n\r\n",
    "chunks and a length": f"{POST}{CHUNKED}Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": f"{POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\n12345",
    "a length that is signed": f"{POST}Content-Length: +4\r\n\r\n1234",
    "another encoding": f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks of no size": f"{POST}{CHUNKED}\r\nx\r\n\r\n",
    "5,000 headers": GET + "X: y\r\n" * 5000 + "\r\n",
    "a long header": f"{GET}X: {'y' * 100_000}\r\n\r\n",
    "a long address": f"GET /{'x' * 100_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "no colon": f"{GET}X\r\n\r\n",
    "a space in a name": f"{GET}X y: z\r\n\r\n",
    "a tab that splits": f"{GET}X: a\x0bOrigin: b\r\n\r\n",
    "a form feed": f"{GET}X: a\x0cb\r\n\r\n",
    "a NUL": f"{GET}X: a\x00b\r\n\r\n",
    "another host": "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "bytes": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10 + "\r\n\r\n",
}


async def answer(portal: Fortress, request: str) -> str:
    wire = await Wire.open(portal)
    await wire.send(request.encode("latin1"))
    return (await wire.answer()).decode("latin1")


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(portal: Fortress, name: str) -> None:
    said = await answer(portal, REFUSED[name])
    # A line that is too long to be one is not worth an answer.
    assert said.startswith("HTTP/1.1 400 ") or (said == "" and "long" in name), said[:200]
    assert said.count("HTTP/1.1 ") <= 1


async def test_in_chunks_nobody_is_heard_who_is_not_signed_in(portal: Fortress) -> None:
    assert (await answer(portal, f"{POST}{CHUNKED}\r\n3\r\na=b\r\n0\r\n\r\n")).startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize("upgrade", ["", "Upgrade: websocket\r\nConnection: Upgrade\r\n"])
async def test_nobody_else_says_where_the_portal_is_mounted(portal: Fortress, upgrade: str) -> None:
    odd = "GET /conversations/ HTTP/1.1\r\nHost: 127.0.0.1\r\nDaphne-Root-Path: //evil.example\r\n"
    said = await answer(portal, odd + (upgrade or "Connection: close\r\n") + "\r\n")
    assert "evil" not in said
    assert ("location: /accounts/login/?next=/conversations/" in said.lower()) is not upgrade


async def test_a_socket_brings_no_body(portal: Fortress) -> None:
    odd = "POST /ws/conversations/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: WebSocket\r\nContent-Length: 5\r\n\r\n12345"
    assert (await answer(portal, odd)).startswith("HTTP/1.1 413 ")


async def test_two_requests_in_one_breath_get_two_answers(portal: Fortress) -> None:
    said = await answer(portal, GET.replace("close", "keep-alive") + "\r\n" + GET + "\r\n")
    assert said.count("HTTP/1.1 200 OK") == 2


async def test_a_socket_in_the_same_breath_is_one_of_its_own(portal: Fortress) -> None:
    """It does not depend on how far the request before it has come; that is another each time."""
    session, conversation = portal.people[0]
    for _number in range(10):
        socket = await Socket.open(portal)
        socket.writer.write((GET.replace("close", "keep-alive") + "\r\n").encode())
        first = await socket.shake_hands(portal, f"/ws/conversations/{conversation}/", session)
        assert first == "HTTP/1.1 200 OK"
        second = (await socket.reader.readuntil(b"\r\n\r\n")).partition(b"HTTP/1.1 ")[2]
        assert second.startswith(b"101 Switching Protocols")
        async with asyncio.timeout(10):
            assert (await socket.read_frame())[0] == TEXT
        socket.close()


async def test_what_is_sent_piece_by_piece_is_whole(portal: Fortress) -> None:
    """A form that is longer than what is read at once."""
    body = "login=alice&password=" + "x" * 60_000
    request = (
        f"{POST}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    assert (await answer(portal, request)).startswith("HTTP/1.1 403 ")
