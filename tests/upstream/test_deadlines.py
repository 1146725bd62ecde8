import asyncio
import socket
import threading
import time

from tests.upstream.scripted import DONE, SECRET, SSE, ask, ask_until_error, chunk, text_of
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.patience import Patience


async def test_nothing_at_all(upstream, hasty):
    upstream.will(lambda wire: wire.until_left())
    _events, error = await ask_until_error(hasty)
    assert (error.code, error.params) == ("no_first_content", {"seconds": 0.2})
    await asyncio.wait_for(upstream.left.wait(), 1)


async def test_f14_silence_in_the_middle(upstream, hasty):
    async def script(wire):
        await wire.send(SSE, chunk("kept"))
        await wire.until_left()

    upstream.will(script)
    events, error = await ask_until_error(hasty)
    assert (text_of(events), error.code) == ("kept", "stalled")
    await asyncio.wait_for(upstream.left.wait(), 1)


def repeating(*parts, every=0.02, before=()):
    async def script(wire):
        await wire.send(SSE, *before)
        while True:
            await wire.send(*parts)
            await asyncio.sleep(every)

    return script


async def test_f15_comments_are_no_content(upstream, hasty):
    upstream.will(repeating(b": keepalive\n\n"))
    assert (await ask_until_error(hasty))[1].code == "no_first_content"


async def test_a_flood_of_comments_is_no_content(upstream, hasty):
    upstream.will(repeating(b": keepalive\n\n" * 1000, every=0, before=[chunk("kept")]))
    events, error = await ask_until_error(hasty)
    assert (text_of(events), error.code) == ("kept", "stalled")


async def test_role_only_chunks_are_no_content(upstream, hasty):
    upstream.will(repeating(b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'))
    assert (await ask_until_error(hasty))[1].code == "no_first_content"


async def test_reasoning_is_a_sign_of_life(upstream, hasty):
    async def script(wire):
        await wire.send(SSE)
        for _ in range(6):
            await wire.send(b'data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}\n\n')
            await asyncio.sleep(0.1)
        await wire.send(chunk("thought", "stop"), DONE)

    upstream.will(script)
    assert text_of(await ask(hasty)) == "thought"


async def test_f16_drops_that_never_end_meet_the_total_deadline(upstream, hasty):
    upstream.will(repeating(chunk("x"), every=0.1))
    events, error = await ask_until_error(hasty)
    assert error.code == "took_too_long"
    assert text_of(events)


async def test_a_torrent_that_never_ends_meets_the_total_deadline(upstream, hasty):
    upstream.will(repeating(chunk("x") * 20, every=0.001))
    assert (await ask_until_error(hasty))[1].code == "took_too_long"


async def test_a_finished_answer_does_not_wait_for_done(upstream, hasty):
    async def script(wire):
        await wire.send(SSE, chunk("all", "stop"))
        await wire.until_left()

    upstream.will(script)
    assert text_of(await ask(hasty)) == "all"


async def test_headers_and_half_a_body_are_no_reply(upstream, hasty):
    async def script(wire):
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b'{"data"')
        await wire.until_left()

    upstream.will(script)
    try:
        await hasty.models()
    except Exception as error:
        assert error.code == "no_first_content"


async def test_a_refusal_that_never_ends_is_named_by_its_status(upstream, hasty):
    async def script(wire):
        await wire.send(b"HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\n", b'{"error"')
        await wire.until_left()

    upstream.will(script)
    assert (await ask_until_error(hasty))[1].code == "token_refused"


async def test_what_waits_in_the_socket_is_served_before_its_deadline_is_judged():
    """As after SIGSTOP: the loop sleeps beyond the deadline while the upstream goes on talking."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asleep = threading.Event()
        thread = threading.Thread(target=_talk, args=(server, asleep))
        thread.start()
        client = UpstreamClient(
            f"http://127.0.0.1:{server.getsockname()[1]}", SECRET, deadlines=Deadlines(idle=0.3)
        )

        def sleep() -> None:
            asleep.set()
            time.sleep(0.6)  # noqa: ASYNC251

        asyncio.get_running_loop().call_later(0.2, sleep)
        events = await ask(client)
        thread.join()
    assert text_of(events) == "before and after"


def _talk(server: socket.socket, asleep: threading.Event) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(SSE + chunk("before "))
        asleep.wait(5)
        time.sleep(0.1)
        connection.sendall(chunk("and after", "stop") + DONE)


async def test_the_sentence_says_how_long(upstream, hasty):
    upstream.will(lambda wire: wire.until_left())
    assert "for 0.2 s" in str((await ask_until_error(hasty))[1])
    patience = Patience(Deadlines(total=900, idle=60.0))
    patience.begin(60.0)
    assert "for 60 s" in str(patience.verdict())
    patience = Patience(Deadlines(total=0))
    assert "than 0 min" in str(patience.verdict())
