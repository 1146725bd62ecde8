"""How is a question answered? Composed from the script, cut as asked, sent whole or as a stream."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from webchat.demo.chat import counting
from webchat.demo.chat.catalogue import SLOW
from webchat.demo.chat.chunks import DONE, Head, usage
from webchat.demo.chat.question import Question
from webchat.demo.script import script
from webchat.demo.script.chance import seeded
from webchat.demo.wire import Exchange

LONGEST_SILENCE = 3.0
SLOW_CHUNKS = 300


@dataclass(frozen=True)
class Answer:
    text: str
    pieces: list[str]
    tokens: int
    reason: str


async def answer(exchange: Exchange, question: Question) -> None:
    answers = [compose(question, index) for index in range(question.n)]
    if question.stream:
        await _stream(exchange, question, answers)
    else:
        await _reply(exchange, question, answers)


def compose(question: Question, index: int = 0) -> Answer:
    text = script.answer(question, index)
    starts = [at for at in (text.find(stop) for stop in question.stop) if at >= 0]
    tokens = counting.tokens(text[: min(starts)] if starts else text)
    is_cut = question.max_tokens is not None and len(tokens) > question.max_tokens
    kept = tokens[: question.max_tokens]
    pieces = _pieces(kept, question, index)
    return Answer("".join(kept), pieces, len(kept), "length" if is_cut else "stop")


def _pieces(tokens: list[str], question: Question, index: int) -> list[str]:
    """Chunks of one to three tokens; the slow model's long answer in as many as make a minute."""
    if question.model.id == SLOW and len(tokens) >= SLOW_CHUNKS:
        ends = [len(tokens) * at // SLOW_CHUNKS for at in range(SLOW_CHUNKS + 1)]
        return ["".join(tokens[start:end]) for start, end in pairwise(ends)]
    chance = seeded(f"{question.fingerprint}{index}")
    pieces: list[str] = []
    at = 0
    while at < len(tokens):
        length = chance.randint(1, 3)
        pieces.append("".join(tokens[at : at + length]))
        at += length
    return pieces


async def _stream(exchange: Exchange, question: Question, answers: list[Answer]) -> None:
    head = Head.new(question.model.streams_as or question.model.id, question.model.id_prefix)
    pace = exchange.memory.pace if question.pace is None else question.pace
    await exchange.open_stream(headers=[("cache-control", "no-cache")])
    await exchange.send(b"".join(head.role(index) for index in range(question.n)))
    for row in zip_longest(*(one.pieces for one in answers)):
        for index, piece in enumerate(row):
            if piece is not None:
                await exchange.send(head.text(piece, index))
        await asyncio.sleep(pace)
    await exchange.end(_ending(head, question, answers))


def _ending(head: Head, question: Question, answers: list[Answer]) -> bytes:
    place = question.model.usage
    total = usage(question.prompt_tokens, sum(one.tokens for one in answers))
    ending = b""
    for index, one in enumerate(answers):
        own = usage(question.prompt_tokens, one.tokens) if place in ("choices", "both") else None
        is_last = index == len(answers) - 1
        ending += head.finish(one.reason, index, own, total if place == "top" and is_last else None)
    if place in ("both", "trailing") and question.include_usage:
        ending += head.chunk([], usage=total)
    return ending + DONE


async def _reply(exchange: Exchange, question: Question, answers: list[Answer]) -> None:
    longest = max(len(one.pieces) for one in answers)
    if question.pace is None:
        await asyncio.sleep(min(exchange.memory.pace * longest, LONGEST_SILENCE))
    else:
        await asyncio.sleep(question.pace * longest)
    await exchange.reply_json(200, whole(question, answers))


def whole(question: Question, answers: list[Answer]) -> dict[str, object]:
    head = Head.new(question.model.answers_as or question.model.id, "chatcmpl-")
    return {
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": one.text},
                "logprobs": None,
                "finish_reason": one.reason,
            }
            for index, one in enumerate(answers)
        ],
        "usage": usage(question.prompt_tokens, sum(one.tokens for one in answers)),
        "system_fingerprint": None,
    }
