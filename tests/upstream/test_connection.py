"""The network under httpx: whose reply is whose, which connections stay, and what ends a wait."""

import asyncio

import pytest

from tests.upstream.scripted import SECRET, ask, ask_until_error, chunk, question, text_of
from webchat.upstream import pools
from webchat.upstream.client import UpstreamClient
from webchat.upstream.errors import AudioTooLarge, ConnectionLost, NotAnAnswer
from webchat.upstream.wire import TranscriptionRequest

REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


def whole(text):
    body = b'{"choices": [{"message": {"content": "%b"}, "finish_reason": "stop"}]}' % text
    return REPLY % (len(body), body)


def resting():
    transport = pools.here().http._transport
    return [connection for idle in transport._idle.values() for connection in idle]


async def test_a_second_reply_is_nobodys(upstream, client):
    async def two_at_once(wire):
        await wire.send(whole(b"mine") + whole(b"someone else's"))
        wire.is_whole = True

    async def own(wire):
        await wire.send(whole(b"own"))

    upstream.will(two_at_once, own)
    assert text_of(await ask(client, question(stream=False))) == "mine"
    assert text_of(await ask(client, question(stream=False))) == "own"
    assert upstream.connections == 2


async def test_what_comes_unasked_ends_the_connection(upstream, client):
    async def one_and_later_another(wire):
        await wire.send(whole(b"mine"))
        await asyncio.sleep(0.05)
        await wire.send(whole(b"someone else's"))
        wire.is_whole = True

    upstream.will(one_and_later_another)
    await ask(client, question(stream=False))
    assert len(resting()) == 1
    await asyncio.wait_for(upstream.left.wait(), 5)
    assert not any(connection.may_stay for connection in resting())


async def test_a_connection_that_the_upstream_closed_is_not_used_again(upstream, client):
    async def reply_and_close(wire):
        await wire.send(whole(b"x"))

    upstream.will(reply_and_close)
    for _ in range(3):
        assert text_of(await ask(client, question(stream=False))) == "x"
        await asyncio.wait_for(upstream.left.wait(), 5)
        upstream.left.clear()
        await asyncio.sleep(0.02)
    assert upstream.connections == 3


@pytest.mark.parametrize("head", [b"X: " + b"x" * 60_000 + b"\r\n", b"HTTP/1.1 103 Early\r\n\r\n" * 3000])
async def test_a_head_without_end_is_given_up(upstream, client, head):
    async def script(wire):
        await wire.send(b"" if head.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
        while not wire.writer.is_closing():
            await wire.send(head)
            await asyncio.sleep(0.001)

    upstream.will(script)
    _events, error = await ask_until_error(client, question(stream=False))
    assert isinstance(error, NotAnAnswer)


async def test_a_reply_without_length_ends_with_its_connection(upstream, client):
    async def script(wire):
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\n" + whole(b"x").partition(b"\r\n\r\n")[2])

    upstream.will(script)
    assert text_of(await ask(client, question(stream=False))) == "x"


async def test_a_reply_shorter_than_its_length_is_lost(upstream, client):
    async def script(wire):
        await wire.send(whole(b"x")[:-5])

    upstream.will(script)
    _events, error = await ask_until_error(client, question(stream=False))
    assert isinstance(error, ConnectionLost)


async def test_who_refuses_a_long_upload_is_heard_before_its_end(upstream):
    """And nobody waits for what the upstream does not read."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1024)
    client = UpstreamClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SECRET)
    sound = TranscriptionRequest(content=bytes(20 * 1024**2), extension="wav")
    async with asyncio.timeout(4):
        with pytest.raises(AudioTooLarge):
            await client.transcribe(sound)
    server.close()


async def test_the_second_address_of_a_name_is_tried(upstream):
    """`localhost` is ::1 too, where nobody listens."""
    upstream.will(lambda wire: wire.send(b"HTTP/1.1 200 OK\r\n\r\n", chunk("x", "stop")))
    client = UpstreamClient(upstream.url.replace("127.0.0.1", "localhost"), SECRET)
    assert text_of(await ask(client)) == "x"
