"""How does a faulty answer begin like a good one, and how does it go on?"""

import asyncio

import msgspec

from webchat.demo.call import Call
from webchat.demo.chat import answering as chat
from webchat.demo.chat.chunks import DONE, Head, usage
from webchat.demo.chat.question import Question
from webchat.demo.faults.practice import PARTIAL_CHUNKS, PIECES
from webchat.demo.refusals import invalid


async def begin(call: Call) -> Head:
    """A believable first part: 20 chunks of a stream, or half of a whole answer."""
    head = await open_answer(call)
    question = question_of(call)
    if not question.stream:
        await call.exchange.send(half(question))
        return head
    for piece in PIECES[:PARTIAL_CHUNKS]:
        await call.exchange.send(head.text(piece))
        await asyncio.sleep(call.exchange.memory.pace)
    return head


async def open_answer(call: Call) -> Head:
    """Only the very first: headers, and in a stream the role."""
    question = question_of(call)
    head = head_of(question)
    await call.exchange.open_stream("text/event-stream" if question.stream else "application/json")
    if question.stream:
        await call.exchange.send(head.role())
    return head


async def rest_of(call: Call, head: Head) -> None:
    for piece in PIECES[PARTIAL_CHUNKS:]:
        await call.exchange.send(head.text(piece))
        await asyncio.sleep(call.exchange.memory.pace)
    figures = usage(question_of(call).prompt_tokens, len(PIECES))
    await call.exchange.end(head.finish("stop", 0, figures) + DONE)


def beat(call: Call, usual: float) -> float:
    pace = question_of(call).pace
    return usual if pace is None else pace


def half(question: Question) -> bytes:
    document = msgspec.json.encode(chat.whole(question, [chat.compose(question)]))
    return document[: len(document) // 2]


def head_of(question: Question) -> Head:
    return Head.new(question.model.id)


def question_of(call: Call) -> Question:
    if call.question is None:
        raise invalid("This practice fault is for chat.", "model")
    return call.question
