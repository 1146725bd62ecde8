"""Which practice faults happen within a stream? Cuts, silences, floods, and ill-formed chunks."""

import asyncio
from typing import Any

import msgspec

from webchat.demo import chat
from webchat.demo.call import Call
from webchat.demo.chunks import DONE, Head, Usage, event, usage
from webchat.demo.fault_replies import Play
from webchat.demo.practice import (
    FAST_CHUNKS,
    FAST_TEXT,
    ILL_ENCODED,
    MANY_SCRIPTS,
    ODD_SEPARATORS,
    PARTIAL_CHUNKS,
    PIECES,
)
from webchat.demo.question import Question
from webchat.demo.refusals import error, invalid

MEGABYTE = 1024 * 1024
COMMENT = b": keepalive\n\n"
STREAM_ERROR = error("The model had a hiccup.", kind="server_error", code="internal_error")
BAD_CHUNK = b'data: {"id": "cmpl-bad", "choices": [{"index": 0, "delta": {"content": "lo\n\n'
_UNFRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
_UNFRAMED_JSON = _UNFRAMED.replace(b"text/event-stream", b"application/json")


async def reset_midway(call: Call) -> None:
    await _begin(call)
    await call.exchange.reset()


async def reset_early(call: Call) -> None:
    await _open(call)
    await call.exchange.reset()


async def close_midway(call: Call) -> None:
    """No length, no chunks: the end of the connection is the end of the answer, and looks like a good one."""
    question = _question(call)
    head = _head(question)
    sent = (
        head.role() + b"".join(map(head.text, PIECES[:PARTIAL_CHUNKS]))
        if question.stream
        else _half(question)
    )
    await call.exchange.raw((_UNFRAMED if question.stream else _UNFRAMED_JSON) + sent)
    await call.exchange.leave()


async def close_after_finish(call: Call) -> None:
    head = _head(_question(call))
    await call.exchange.raw(_UNFRAMED + head.role() + b"".join(map(head.text, PIECES)) + head.finish("stop"))
    await call.exchange.leave()


async def close_inside_chunk(call: Call) -> None:
    await _begin(call)
    await call.exchange.raw(b'ff\r\ndata: {"id": "cmpl-')
    await call.exchange.leave()


async def stall(call: Call) -> None:
    await _begin(call)
    await asyncio.Event().wait()


async def stall_before_content(call: Call) -> None:
    await _open(call)
    await asyncio.Event().wait()


async def stall_before_headers(call: Call) -> None:
    await asyncio.Event().wait()


async def comments_forever(call: Call) -> None:
    await _begin(call)
    await _comment(call)


async def comments_only(call: Call) -> None:
    await _open(call)
    await _comment(call)


async def drip(call: Call) -> None:
    """One character at a time, and a long time between them."""
    head = await _begin(call)
    if not call.is_streamed:
        await _comment(call)
    for character in "".join(PIECES[PARTIAL_CHUNKS:]):
        await asyncio.sleep(_beat(call, 4.0))
        await call.exchange.send(head.text(character))
    await asyncio.Event().wait()


async def drip_bytes(call: Call) -> None:
    head = await _begin(call)
    if not call.is_streamed:
        await _comment(call)
    for byte in b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])):
        await asyncio.sleep(_beat(call, 4.0))
        await call.exchange.send(bytes([byte]))
    await asyncio.Event().wait()


def malformed(how_many: int) -> Play:
    async def play(call: Call) -> None:
        head = await _begin(call)
        for _ in range(how_many):
            await call.exchange.send(BAD_CHUNK)
        await _rest(call, head)

    return play


async def bytewise(call: Call) -> None:
    head = await _open(call)
    for byte in head.text(MANY_SCRIPTS) + head.finish("stop"):
        await call.exchange.send(bytes([byte]))
        await asyncio.sleep(0)
    await call.exchange.end(DONE)


async def cut_inside_character(call: Call) -> None:
    head = _head(_question(call))
    last = head.text("你好")
    cut = last[: last.index("好".encode()) + 1]
    await call.exchange.raw(_UNFRAMED + head.role() + head.text("Hello ") + cut)
    await call.exchange.leave()


async def ill_encoded(call: Call) -> None:
    """A byte order mark, the wrong charset, and bytes that are no UTF-8."""
    head = _head(_question(call))
    await call.exchange.open_stream("text/event-stream; charset=ISO-8859-1")
    await call.exchange.send(b"\xef\xbb\xbf" + head.role())
    for piece in ILL_ENCODED:
        await call.exchange.send(head.text("PIECE").replace(b"PIECE", piece))
    await call.exchange.end(head.finish("stop") + DONE)


async def odd_separators(call: Call) -> None:
    head = await _open(call)
    await call.exchange.send(head.text(ODD_SEPARATORS))
    await call.exchange.end(head.finish("stop") + DONE)


async def endless_line(call: Call) -> None:
    await _begin(call)
    await call.exchange.send(b'data: {"id": "')
    await _flood(call, b"x" * 65_536, 200 * MEGABYTE)


async def endless_event(call: Call) -> None:
    await _begin(call)
    await _flood(call, (b"data: " + b"x" * 1000 + b"\n") * 64, 200 * MEGABYTE)


async def huge_delta(call: Call) -> None:
    head = await _begin(call)
    await call.exchange.send(head.text("x" * 10 * MEGABYTE))
    await _rest(call, head)


async def endless_answer(call: Call) -> None:
    head = await _begin(call)
    await _flood(call, head.text("word " * 10_000), 200 * MEGABYTE)


def error_midway(document: object) -> Play:
    async def play(call: Call) -> None:
        if not call.is_streamed:
            await call.exchange.reply_json(200, document)
            return
        await _begin(call)
        await call.exchange.end(event(document) + DONE)

    return play


async def error_first(call: Call) -> None:
    await _open(call)
    await call.exchange.end(event(STREAM_ERROR) + DONE)


def usage_at(place: str, numbers: Usage | None = None) -> Play:
    """The same answer with its usage in each of the places, or with figures that are none."""

    async def play(call: Call) -> None:
        head = await _begin(call)
        question = _question(call)
        figures = usage(question.prompt_tokens, len(PIECES)) | (numbers or {})
        inside = figures if place == "choices" else None
        top = figures if place == "top" else None
        final = head.chunk([], usage=figures) if place == "final" else b""
        await call.exchange.send(b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])))
        await call.exchange.end(head.finish("stop", 0, inside, top) + final + DONE)

    return play


async def odd_chunks(call: Call) -> None:
    """Everything that a chunk may lack or have too much of, among good ones."""
    head = await _begin(call)
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
    await _rest(call, head)


async def two_indexes(call: Call) -> None:
    """Two answers interleaved, whatever n was asked for; the second is in capitals."""
    head = await _open(call)
    await call.exchange.send(head.role(1))
    for piece in PIECES:
        await call.exchange.send(head.text(piece, 0) + head.text(piece.upper(), 1))
    await call.exchange.end(head.finish("stop", 1) + head.finish("stop", 0) + DONE)


async def after_done(call: Call) -> None:
    head = await _begin(call)
    rest = b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])) + head.finish("stop")
    await call.exchange.end(rest + DONE + head.text(" This comes too late.") + DONE)


async def open_after_done(call: Call) -> None:
    head = await _begin(call)
    rest = b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])) + head.finish("stop")
    await call.exchange.send(rest + DONE + head.text(" This comes too late."))
    await asyncio.Event().wait()


async def fast(call: Call) -> None:
    """5,000 chunks a second for two seconds, in bursts of 50."""
    head = await _open(call)
    width, loop = len(FAST_TEXT) // FAST_CHUNKS, asyncio.get_running_loop()
    started = loop.time()
    for burst in range(FAST_CHUNKS // 50):
        words = [FAST_TEXT[at * width : (at + 1) * width] for at in range(burst * 50, burst * 50 + 50)]
        await call.exchange.send(b"".join(map(head.text, words)))
        await asyncio.sleep(max(started + burst * 0.01 - loop.time(), 0))
    await call.exchange.end(head.finish("stop") + DONE)


async def slow_but_sound(call: Call) -> None:
    head = await _open(call)
    for piece in PIECES:
        await asyncio.sleep(_beat(call, 0.05))
        await call.exchange.send(head.text(piece))
    await call.exchange.end(head.finish("stop") + DONE)


def for_streams_only(play: Play) -> Play:
    """What is odd about chunks means nothing to a whole answer, which is then an ordinary one."""

    async def choose(call: Call) -> None:
        await (play(call) if call.is_streamed else call.answer())

    return choose


def _question(call: Call) -> Question:
    if call.question is None:
        raise invalid("This practice fault is for chat.", "model")
    return call.question


def _head(question: Question) -> Head:
    return Head.new(question.model.id)


async def _begin(call: Call) -> Head:
    """A believable first part: 20 chunks of a stream, or half of a whole answer."""
    head = await _open(call)
    question = _question(call)
    if not question.stream:
        await call.exchange.send(_half(question))
        return head
    for piece in PIECES[:PARTIAL_CHUNKS]:
        await call.exchange.send(head.text(piece))
        await asyncio.sleep(call.exchange.memory.pace)
    return head


def _half(question: Question) -> bytes:
    document = msgspec.json.encode(chat.whole(question, [chat.compose(question)]))
    return document[: len(document) // 2]


async def _open(call: Call) -> Head:
    question = _question(call)
    head = _head(question)
    await call.exchange.open_stream("text/event-stream" if question.stream else "application/json")
    if question.stream:
        await call.exchange.send(head.role())
    return head


async def _rest(call: Call, head: Head) -> None:
    for piece in PIECES[PARTIAL_CHUNKS:]:
        await call.exchange.send(head.text(piece))
        await asyncio.sleep(call.exchange.memory.pace)
    figures = usage(_question(call).prompt_tokens, len(PIECES))
    await call.exchange.end(head.finish("stop", 0, figures) + DONE)


async def _comment(call: Call) -> None:
    while True:
        await asyncio.sleep(_beat(call, 0.5))
        await call.exchange.send(COMMENT if call.is_streamed else b" ")


async def _flood(call: Call, block: bytes, size: int) -> None:
    for _ in range(size // len(block)):
        await call.exchange.send(block)
        await asyncio.sleep(0)
    await call.exchange.end()


def _beat(call: Call, usual: float) -> float:
    pace = _question(call).pace
    return usual if pace is None else pace
