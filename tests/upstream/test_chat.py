import asyncio
import gc
from contextlib import aclosing

import pytest

from tests.upstream.scripted import DONE, SECRET, SSE, ask, ask_until_error, chunk, question, text_of
from webchat.upstream import pools
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.errors import BadSecret, InvalidRequest, QueueFull
from webchat.upstream.pools import close_pools
from webchat.upstream.wire import Delta, Queued, Started, Usage

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


async def test_a_streamed_answer_arrives(upstream, client):
    upstream.will(
        lambda wire: wire.send(SSE, chunk("Hel"), chunk("lo"), chunk(finish="stop", usage=USAGE), DONE)
    )
    events = await ask(client)
    assert events[0] == Started("gpt4", "cmpl-1")
    assert text_of(events) == "Hello"
    assert events[-1] == Usage(1, 2, 3)
    request = upstream.requests[0]
    assert request.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"Authorization: Bearer " + SECRET.encode() in request.head
    assert b"Accept-Encoding: identity" in request.head
    assert request.json == {
        "model": "gpt-4",
        "messages": [{"role": "user", "content": "hello"}],
        "n": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_text_arrives_before_the_answer_ends(upstream, client):
    go_on = asyncio.Event()

    async def script(wire):
        await wire.send(SSE, chunk("first"))
        await go_on.wait()
        await wire.send(chunk("second", "stop"), DONE)

    upstream.will(script)
    async with aclosing(client.chat(question())) as events:
        async for event in events:
            if event == Delta(0, "first"):
                go_on.set()
    assert go_on.is_set()


async def test_an_answer_that_is_not_streamed(upstream, client):
    body = (
        b'{"id":"c","model":"m","choices":[{"index":0,"message":{"content":"whole"},"finish_reason":"stop"}]}'
    )
    upstream.will(lambda wire: wire.reply(200, body))
    assert text_of(await ask(client, question(stream=False))) == "whole"
    assert upstream.requests[0].json["stream"] is False
    assert "stream_options" not in upstream.requests[0].json


async def test_closing_the_generator_closes_the_connection(upstream, client):
    async def script(wire):
        await wire.send(SSE, chunk("first"))
        await wire.until_left()

    upstream.will(script)
    async with aclosing(client.chat(question())) as events:
        async for event in events:
            if isinstance(event, Delta):
                break
    await asyncio.wait_for(upstream.left.wait(), 1)


async def test_cancelling_the_reader_closes_the_connection(upstream, client):
    arrived = asyncio.Event()

    async def script(wire):
        arrived.set()
        await wire.until_left()

    upstream.will(script)
    task = asyncio.create_task(ask(client))
    await arrived.wait()
    task.cancel()
    await asyncio.wait_for(upstream.left.wait(), 1)
    assert task.cancelled() or (await asyncio.wait({task}))


async def test_a_connection_is_used_again_after_done(upstream, client):
    async def script(wire):
        body = chunk("x", "stop") + DONE
        await wire.reply(200, body, kind="text/event-stream")

    upstream.will(script)
    await ask(client)
    await ask(client)
    assert len(upstream.requests) == 2
    assert upstream.connections == 1


async def test_stream_options_are_left_out_once_refused(upstream, client):
    async def script(wire):
        if "stream_options" in wire.json:
            await wire.reply(400, b'{"error":{"message":"Unknown parameter: stream_options"}}')
        else:
            await wire.send(SSE, chunk("fine", "stop"), DONE)

    upstream.will(script)
    both = await asyncio.gather(ask(client), ask(client))
    assert [text_of(events) for events in both] == ["fine", "fine"]
    assert not any(type(event).__name__ == "Retrying" for event in both[0])
    await ask(client)
    assert len(upstream.requests) == 5


async def test_a_second_refusal_of_stream_options_stands(upstream, client):
    upstream.will(lambda wire: wire.reply(400, b'{"error":{"message":"stream_options"}}'))
    with pytest.raises(InvalidRequest):
        await ask(client)
    assert len(upstream.requests) == 2


async def test_cookies_are_not_kept(upstream, client):
    upstream.will(
        lambda wire: wire.reply(200, chunk("x", "stop") + DONE, headers="Set-Cookie: who=alice; Path=/\r\n")
    )
    await ask(client)
    await ask(client)
    assert b"cookie" not in upstream.requests[1].head.lower()


async def test_the_environments_proxy_is_not_used(upstream, client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    upstream.will(lambda wire: wire.send(SSE, chunk("x", "stop"), DONE))
    assert text_of(await ask(client)) == "x"


@pytest.mark.parametrize(
    "secret", ["", "short", "sk-with space", "sk-with-newline\n", "sk-ünïcode", "x" * 513]
)
def test_a_secret_that_no_header_can_carry_is_refused(secret):
    with pytest.raises(BadSecret) as caught:
        UpstreamClient("http://127.0.0.1", secret)
    assert not secret or secret not in str(caught.value)


async def test_one_too_many_waits_for_its_turn(upstream):
    client = UpstreamClient(upstream.url, SECRET, max_parallel=1)
    go_on = asyncio.Event()

    async def script(wire):
        await wire.send(SSE, chunk("x", "stop"))
        await go_on.wait()
        await wire.send(DONE)

    upstream.will(script)
    first = asyncio.create_task(ask(client))
    await upstream.asked.wait()
    second = asyncio.create_task(ask(client))
    await asyncio.sleep(0.05)
    assert len(upstream.requests) == 1
    go_on.set()
    assert Queued() not in await first
    assert (await second)[0] == Queued()


async def test_a_full_queue_says_so(upstream):
    client = UpstreamClient(upstream.url, SECRET, max_parallel=1, deadlines=Deadlines(queue=0.1))
    upstream.will(lambda wire: wire.until_left())
    first = asyncio.create_task(ask(client))
    await upstream.asked.wait()
    _events, error = await ask_until_error(client)
    assert isinstance(error, QueueFull)
    first.cancel()
    await asyncio.wait({first})


async def test_130_at_once_all_get_their_answer(upstream, client):
    upstream.will(lambda wire: wire.send(SSE, chunk("x", "stop"), DONE))
    answers = await asyncio.gather(*(ask(client) for _ in range(130)))
    assert {text_of(events) for events in answers} == {"x"}


def test_each_event_loop_has_its_own_pool():
    async def one_call():
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": []}')

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert await UpstreamClient(f"http://127.0.0.1:{port}", SECRET).models() == []
        assert asyncio.get_running_loop() in pools._connections
        server.close()

    async def one_call_and_close():
        await one_call()
        await close_pools()

    asyncio.run(one_call())  # leaves its pool behind
    asyncio.run(one_call_and_close())
    gc.collect()
    assert not pools._connections
