"""The client's side of the fault matrix: each fault ends in its own error, with the text so far."""

import asyncio
import json

import pytest

from tests.upstream.scripted import DONE, SECRET, SSE, ask, ask_until_error, chunk, question, text_of
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.wire import Delta, Finished, Started, Usage


def lengthy(size):
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {size}\r\n\r\n".encode()


async def fails(client, upstream, script, code, text=""):
    """The script makes the call fail with this code, after this text."""
    upstream.will(script)
    events, error = await ask_until_error(client)
    assert getattr(error, "code", error) == code
    assert text_of(events) == text
    return error, events


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, b'{"error":{"message":"no"}}', "token_refused"),
        (402, b"", "no_credit"),
        (403, b"<html>CDN</html>", "forbidden"),
        (404, b'{"error":{"code":"model_not_found"}}', "model_not_found"),
        (400, b'{"error":{"code":"context_length_exceeded"}}', "context_too_long"),
        (413, b"", "context_too_long"),
        (204, b"", "not_an_answer"),
        (206, b"data: x", "not_an_answer"),
    ],
)
async def test_refusals_are_not_asked_again(upstream, client, status, body, code):
    await fails(client, upstream, lambda wire: wire.reply(status, body), code)
    assert len(upstream.requests) == 1


async def test_a_long_refusal_is_read_in_part(hasty, upstream):
    async def script(wire):
        await wire.send(b"HTTP/1.1 403 No\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
        while True:
            await wire.send(b"<p>" * 10_000)

    await fails(hasty, upstream, script, "forbidden")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:1"])
async def test_f09_unreachable(upstream, url):
    _events, error = await ask_until_error(UpstreamClient(url, SECRET))
    assert error.code == "unreachable"


async def test_f09_no_tls_on_the_other_side(upstream):
    upstream.will(lambda wire: wire.reply(200))
    url = upstream.url.replace("http:", "https:")
    client = UpstreamClient(url, SECRET, deadlines=Deadlines(connect=0.3))
    _events, error = await ask_until_error(client)
    assert error.code == "unreachable"


async def test_f11_reset_in_the_middle(upstream, client):
    async def script(wire):
        await wire.send(lengthy(10**6), chunk("kept"))
        await asyncio.sleep(0.05)
        wire.abort()

    await fails(client, upstream, script, "connection_lost", "kept")
    assert len(upstream.requests) == 1


async def test_f12_an_end_that_looks_complete_is_cut_off(upstream, client):
    await fails(client, upstream, lambda wire: wire.send(SSE, chunk("kept")), "cut_off", "kept")


async def test_an_end_without_done_is_complete_when_every_answer_gave_its_reason(upstream, client):
    upstream.will(lambda wire: wire.send(SSE, chunk("all"), chunk(finish="stop")))
    assert text_of(await ask(client)) == "all"


async def test_f13_a_chunked_body_that_ends_early(upstream, client):
    async def script(wire):
        data = chunk("kept")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        await wire.send(head, b"%x\r\n%s\r\n" % (len(data), data), b"ff\r\ndata: {")

    await fails(client, upstream, script, "connection_lost", "kept")


async def test_f17_a_broken_chunk_is_skipped(upstream, client):
    upstream.will(lambda wire: wire.send(SSE, chunk("a"), b"data: {bad\n\n", chunk("b", "stop"), DONE))
    assert text_of(await ask(client)) == "ab"


async def test_f17_six_broken_chunks_end_the_answer(upstream, client):
    await fails(
        client, upstream, lambda wire: wire.send(SSE, chunk("a"), b"data: {bad\n\n" * 6), "malformed", "a"
    )


async def test_f18_f19_f20_any_bytes_one_by_one(upstream, client):
    async def script(wire):
        await wire.send(SSE.replace(b"event-stream", b"event-stream; charset=ISO-8859-1"))
        for byte in b"\xef\xbb\xbf" + chunk("你好\u2028🙂\u0085\x0c", "stop") + DONE:
            await wire.send(bytes([byte]))

    upstream.will(script)
    assert text_of(await ask(client)) == "你好\u2028🙂\u0085\x0c"


async def test_f19_invalid_utf_8(upstream, client):
    broken = chunk("a?b", "stop").replace(b"?", b"\xff")
    upstream.will(lambda wire: wire.send(SSE, broken, DONE))
    assert text_of(await ask(client)) == "a\ufffdb"


async def test_f21_a_line_without_end(upstream, client):
    sent = 0

    async def script(wire):
        nonlocal sent
        await wire.send(SSE, chunk("kept"), b"data: ")
        while sent < 200 * 2**20:
            await wire.send(b"x" * 2**16)
            sent += 2**16

    await fails(client, upstream, script, "too_large", "kept")
    await asyncio.wait_for(upstream.left.wait(), 2)
    assert sent < 20 * 2**20


async def test_f21_a_delta_of_ten_megabytes(upstream, client):
    async def script(wire):
        await wire.send(SSE, chunk("kept"), chunk("x" * 10 * 2**20), DONE)

    await fails(client, upstream, script, "too_large", "kept")


async def test_f22_a_compressed_answer_is_not_unpacked(upstream, client):
    await fails(
        client, upstream, lambda wire: wire.reply(200, b"bomb", "Content-Encoding: gzip\r\n"), "compressed"
    )


async def test_f23_redirects_are_not_followed(upstream, client):
    hits = []

    async def script(wire):
        hits.append(wire.head)
        await wire.reply(302, b"", f"Location: {upstream.url}/canary\r\n")

    error, _events = await fails(client, upstream, script, "redirected")
    assert len(hits) == 1
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", b'{"error":{"message":"no","code":"insufficient_quota"}}', "no_credit"),
        ("text/event-stream", b'{"error":{"message":"no"}}', "upstream_error"),
        ("text/html", b"<html>hello</html>", "not_an_answer"),
        ("text/event-stream", b"\n <html>hello</html>", "not_an_answer"),
        ("application/json", b"{}", "not_an_answer"),
        ("application/json", b'{"choices":[]}', "empty_answer"),
        ("application/json", b'{"choices":[{"message":{"content":""}}]}', "empty_answer"),
        ("text/event-stream", b"", "empty_answer"),
        ("application/json", b"", "empty_answer"),
        ("text/event-stream", DONE, "empty_answer"),
        ("text/event-stream", b": ping\n\n", "empty_answer"),
    ],
)
async def test_f24_a_200_that_is_no_answer(upstream, client, kind, body, code):
    await fails(client, upstream, lambda wire: wire.reply(200, body, kind=kind), code)


async def test_f25_an_error_in_the_middle_keeps_the_text_and_the_usage(upstream, client):
    oops = b'data: {"error":{"message":"<b>secret words</b>","type":"server_error"}}\n\n'
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    error, events = await fails(
        client,
        upstream,
        lambda wire: wire.send(SSE, chunk("kept", usage=usage), oops, DONE),
        "upstream_down",
        "kept",
    )
    assert events[-1] == Usage(1, 2, 3)
    assert "secret words" not in str(error)


async def test_f27_interleaved_answers(upstream, client):
    upstream.will(
        lambda wire: wire.send(
            SSE, chunk("a"), chunk("x", index=1), chunk("b", "stop"), chunk("y", "stop", 1), DONE
        )
    )
    events = await ask(client, question(n=2))
    assert (text_of(events, 0), text_of(events, 1)) == ("ab", "xy")


async def test_f28_what_follows_done_is_ignored_and_the_connection_closed(upstream, client):
    async def script(wire):
        await wire.send(lengthy(10**6), chunk("a", "stop"), DONE, chunk("b"), DONE)
        await wire.until_left()

    upstream.will(script)
    assert text_of(await ask(client)) == "a"
    await asyncio.wait_for(upstream.left.wait(), 1)


async def test_f29_one_piece_to_a_stream_request(upstream, client):
    message = {"index": 0, "message": {"role": "assistant", "content": "whole"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    body = json.dumps({"id": "c", "model": "m", "choices": [message], "usage": usage}).encode()
    upstream.will(lambda wire: wire.reply(200, body))
    assert await ask(client) == [Started("m", "c"), Delta(0, "whole"), Finished(0, "stop"), Usage(1, 2, 3)]


async def test_f30_ten_thousand_chunks(upstream, client):
    stream = b"".join(chunk(f"{i} ") for i in range(10_000))
    upstream.will(lambda wire: wire.send(SSE, stream, chunk(finish="stop"), DONE))
    assert text_of(await ask(client)) == "".join(f"{i} " for i in range(10_000))


async def test_f34_informational_replies_are_passed_over(upstream, client):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    upstream.will(lambda wire: wire.send(early, SSE, chunk("x", "stop"), DONE))
    assert text_of(await ask(client)) == "x"


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 150_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["huge headers", "no HTTP", "bad length", "upgrade"],
)
async def test_f34_what_is_no_http_answer(upstream, client, garbage):
    await fails(client, upstream, lambda wire: wire.send(garbage), "not_an_answer")
    assert len(upstream.requests) == 1
