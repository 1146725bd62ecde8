"""Which practice faults end a stream badly, or not at all? Cuts and silences."""

import asyncio

from webchat.demo.call import Call
from webchat.demo.faults.believable import beat, begin, half, head_of, open_answer, question_of
from webchat.demo.faults.practice import PARTIAL_CHUNKS, PIECES

COMMENT = b": keepalive\n\n"
_UNFRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
_UNFRAMED_JSON = _UNFRAMED.replace(b"text/event-stream", b"application/json")


async def reset_midway(call: Call) -> None:
    await begin(call)
    await call.exchange.reset()


async def reset_early(call: Call) -> None:
    await open_answer(call)
    await call.exchange.reset()


async def close_midway(call: Call) -> None:
    """No length, no chunks: the end of the connection is the end of the answer, and looks like a good one."""
    question = question_of(call)
    head = head_of(question)
    sent = (
        head.role() + b"".join(map(head.text, PIECES[:PARTIAL_CHUNKS])) if question.stream else half(question)
    )
    await call.exchange.raw((_UNFRAMED if question.stream else _UNFRAMED_JSON) + sent)
    await call.exchange.leave()


async def close_after_finish(call: Call) -> None:
    head = head_of(question_of(call))
    await call.exchange.raw(_UNFRAMED + head.role() + b"".join(map(head.text, PIECES)) + head.finish("stop"))
    await call.exchange.leave()


async def close_inside_chunk(call: Call) -> None:
    await begin(call)
    await call.exchange.raw(b'ff\r\ndata: {"id": "cmpl-')
    await call.exchange.leave()


async def cut_inside_character(call: Call) -> None:
    head = head_of(question_of(call))
    last = head.text("你好")
    cut = last[: last.index("好".encode()) + 1]
    await call.exchange.raw(_UNFRAMED + head.role() + head.text("Hello ") + cut)
    await call.exchange.leave()


async def stall(call: Call) -> None:
    await begin(call)
    await asyncio.Event().wait()


async def stall_before_content(call: Call) -> None:
    await open_answer(call)
    await asyncio.Event().wait()


async def stall_before_headers(call: Call) -> None:
    await asyncio.Event().wait()


async def comments_forever(call: Call) -> None:
    await begin(call)
    await _comment(call)


async def comments_only(call: Call) -> None:
    await open_answer(call)
    await _comment(call)


async def drip(call: Call) -> None:
    """One character at a time, and a long time between them."""
    head = await begin(call)
    if not call.is_streamed:
        await _comment(call)
    for character in "".join(PIECES[PARTIAL_CHUNKS:]):
        await asyncio.sleep(beat(call, 4.0))
        await call.exchange.send(head.text(character))
    await asyncio.Event().wait()


async def drip_bytes(call: Call) -> None:
    head = await begin(call)
    if not call.is_streamed:
        await _comment(call)
    for byte in b"".join(map(head.text, PIECES[PARTIAL_CHUNKS:])):
        await asyncio.sleep(beat(call, 4.0))
        await call.exchange.send(bytes([byte]))
    await asyncio.Event().wait()


async def _comment(call: Call) -> None:
    while True:
        await asyncio.sleep(beat(call, 0.5))
        await call.exchange.send(COMMENT if call.is_streamed else b" ")
