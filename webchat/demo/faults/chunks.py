"""Which practice faults are in the chunks of a stream? Ill-formed, odd, too many and too large ones."""

import asyncio
from typing import Any

from webchat.demo.call import Call
from webchat.demo.chat.chunks import DONE, Usage, event, usage
from webchat.demo.faults.believable import beat, begin, head_of, open_answer, question_of, rest_of
from webchat.demo.faults.practice import (
    FAST_CHUNKS,
    FAST_TEXT,
    ILL_ENCODED,
    MANY_SCRIPTS,
    ODD_SEPARATORS,
    PARTIAL_CHUNKS,
    PIECES,
)
from webchat.demo.faults.replies import Play
from webchat.demo.refusals import error

MEGABYTE = 1024 * 1024
STREAM_ERROR = error("The model had a hiccup.", kind="server_error", code="internal_error")
BAD_CHUNK = b'data: {"id": "cmpl-bad", "choices": [{"index": 0, "delta": {"content": "lo\n\n'


def for_streams_only(play: Play) -> Play:
    """What is odd about chunks means nothing to a whole answer, which is then an ordinary one."""

    async def choose(call: Call) -> None:
        await (play(call) if call.is_streamed else call.answer())

    return choose


def malformed(how_many: int) -> Play:
    async def play(call: Call) -> None:
        head = await begin(call)
        for _ in range(how_many):
            await call.exchange.send(BAD_CHUNK)
        await rest_of(call, head)

    return play


async def bytewise(call: Call) -> None:
    head = await open_answer(call)
    for byte in head.text(MANY_SCRIPTS) + head.finish("stop"):
        await call.exchange.send(bytes([byte]))
        await asyncio.sleep(0)
    await call.exchange.end(DONE)


async def ill_encoded(call: Call) -> None:
    """A byte order mark, the wrong charset, and bytes that are no UTF-8."""
    head = head_of(question_of(call))
    await call.exchange.open_stream("text/event-stream; charset=ISO-8859-1")
    await call.exchange.send(b"\xef\xbb\xbf" + head.role())
    for piece in ILL_ENCODED:
        await call.exchange.send(head.text("PIECE").replace(b"PIECE", piece))
    await call.exchange.end(head.finish("stop") + DONE)


async def odd_separators(call: Call) -> None:
    head = await open_answer(call)
    await call.exchange.send(head.text(ODD_SEPARATORS))
    await call.exchange.end(head.finish("stop") + DONE)


async def endless_line(call: Call) -> None:
    await begin(call)
    await call.exchange.send(b'data: {"id": "')
    await _flood(call, b"x" * 65_536, 200 * MEGABYTE)


async def endless_event(call: Call) -> None:
    await begin(call)
    await _flood(call, (b"data: " + b"x" * 1000 + b"\n") * 64, 200 * MEGABYTE)


async def huge_delta(call: Call) -> None:
    head = await begin(call)
    await call.exchange.send(head.text("x" * 10 * MEGABYTE))
    await rest_of(call, head)


async def endless_answer(call: Call) -> None:
    head = await begin(call)
    await _flood(call, head.text("word " * 10_000), 200 * MEGABYTE)


def error_midway(document: object) -> Play:
    async def play(call: Call) -> None:
        if not call.is_streamed:
            await call.exchange.reply_json(200, document)
            return
        await begin(call)
        await call.exchange.end(event(document) + DONE)

    return play


async def error_first(call: Call) -> None:
    await open_answer(call)
    await call.exchange.end(event(STREAM_ERROR) + DONE)


def usage_at(place: str, numbers: Usage | None = None) -> Play:
    """The same answer with its usage in each of the places, or with figures that are none."""

    async def play(call: Call) -> None:
        head = await begin(call)
        question = question_of(call)
        figures = usage(question.prompt_tokens, len(PIECES)) | (numbers or {})
        inside = figures if place == "choices" else None
        top = figures if place == "top" else None
        final = head.chunk([], usage=figures) if place == "final" else b""
        await call.exchange.send(b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])))
        await call.exchange.end(head.finish("stop", 0, inside, top) + final + DONE)

    return play


async def odd_chunks(call: Call) -> None:
    """Everything that a chunk may lack or have too much of, among good ones."""
    head = await begin(call)
    tool = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "noop", "arguments": "{}"}}
    oddities: list[list[dict[str, Any]]] = [
        [],
        [{"index": 0, "delta": None, "finish_reason": None}],
        [{"index": 0, "delta": {"content": None}, "finish_reason": None}],
        [{"index": 0, "delta": {"content": ""}, "finish_reason": None}],
        [{"index": 0, "delta": {"tool_calls": [tool]}, "finish_reason": None}],
        [{"index": 0, "delta": {"reasoning_content": "Not to be shown."}, "finish_reason": None}],
        [{"index": 0}],
    ]
    await call.exchange.send(b"".join(map(head.chunk, oddities)) + event({"id": head.id, "object": "ping"}))
    await rest_of(call, head)


async def two_indexes(call: Call) -> None:
    """Two answers interleaved, whatever n was asked for; the second is in capitals."""
    head = await open_answer(call)
    await call.exchange.send(head.role(1))
    for piece in PIECES:
        await call.exchange.send(head.text(piece, 0) + head.text(piece.upper(), 1))
    await call.exchange.end(head.finish("stop", 1) + head.finish("stop", 0) + DONE)


async def after_done(call: Call) -> None:
    head = await begin(call)
    rest = b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])) + head.finish("stop")
    await call.exchange.end(rest + DONE + head.text(" This comes too late.") + DONE)


async def open_after_done(call: Call) -> None:
    head = await begin(call)
    rest = b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])) + head.finish("stop")
    await call.exchange.send(rest + DONE + head.text(" This comes too late."))
    await asyncio.Event().wait()


async def fast(call: Call) -> None:
    """5,000 chunks a second for two seconds, in bursts of 50."""
    head = await open_answer(call)
    width, loop = len(FAST_TEXT) // FAST_CHUNKS, asyncio.get_running_loop()
    started = loop.time()
    for burst in range(FAST_CHUNKS // 50):
        words = [FAST_TEXT[at * width : (at + 1) * width] for at in range(burst * 50, burst * 50 + 50)]
        await call.exchange.send(b"".join(map(head.text, words)))
        await asyncio.sleep(max(started + burst * 0.01 - loop.time(), 0))
    await call.exchange.end(head.finish("stop") + DONE)


async def slow_but_sound(call: Call) -> None:
    head = await open_answer(call)
    for piece in PIECES:
        await asyncio.sleep(beat(call, 0.05))
        await call.exchange.send(head.text(piece))
    await call.exchange.end(head.finish("stop") + DONE)


async def _flood(call: Call, block: bytes, size: int) -> None:
    for _ in range(size // len(block)):
        await call.exchange.send(block)
        await asyncio.sleep(0)
    await call.exchange.end()
