"""How is the reply to each kind of call read, whatever the upstream sends in its place?"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from itertools import chain
from typing import Any

from . import wire
from .answer import Answer
from .errors import BadAudio, NotAnAnswer, TooLarge, UpstreamError
from .exchange import Exchange
from .patience import Patience
from .reports import MAX_BODY, classify, read_report
from .rules import SPEECH_FORMATS
from .sse import SSEReader

MAX_JSON = 8 * 1024**2
MAX_SPEECH = 64 * 1024**2


async def read_answer(
    exchange: Exchange, answer: Answer, patience: Patience
) -> AsyncGenerator[wire.Event, None]:
    """A stream or an answer in one piece: the first character tells, the declared type does not always."""
    opening = await exchange.read_opening()
    if opening.startswith(b"<"):
        raise NotAnAnswer()
    if opening.startswith(b"{"):
        for event in answer.read_whole(await exchange.read_rest(opening, MAX_JSON)):
            yield event
    else:
        stream = _read_stream(opening, exchange, answer, patience)
        async with aclosing(stream):
            async for event in stream:
                yield event
    answer.check_end()


async def read_sound(
    exchange: Exchange, request: wire.SpeechRequest, patience: Patience, secret: str
) -> AsyncGenerator[bytes, None]:
    """Sound of the format asked for, or an error before the first byte."""
    chunk: bytes | None = await _read_first_sound(exchange, request, secret)
    size = 0
    while chunk is not None:
        size += len(chunk)
        if size > MAX_SPEECH:
            raise TooLarge()
        yield chunk
        patience.content_came()
        chunk = await exchange.read()


async def read_whole(exchange: Exchange, limit: int) -> bytes:
    opening = await exchange.read_opening()
    if opening.startswith(b"<"):
        raise NotAnAnswer()
    return await exchange.read_rest(opening, limit)


def read_object(body: bytes, model: str, secret: str) -> dict[str, Any]:
    value = wire.read_object(body)
    raise_if_reported(value, model, secret)
    if value is None:
        raise NotAnAnswer()
    return value


def read_transcript(body: bytes, request: wire.TranscriptionRequest, secret: str) -> wire.Transcript:
    value = wire.read_object(body)
    raise_if_reported(value, request.model, secret)
    if value is None and request.response_format in ("text", "srt", "vtt"):
        return wire.Transcript(wire.read_text(body.decode("utf-8", "replace")).strip())
    # Some upstreams answer with JSON whatever was asked for.
    transcript = wire.read_transcript(value) if value else None
    if transcript is None:
        raise NotAnAnswer()
    return transcript


def raise_if_reported(value: dict[str, Any] | None, model: str, secret: str) -> None:
    if (report := read_report(value)) is not None:
        raise classify(200, report, model=model, secret=secret)


async def _read_stream(
    opening: bytes, exchange: Exchange, answer: Answer, patience: Patience
) -> AsyncGenerator[wire.Event, None]:
    reader = SSEReader()
    chunk: bytes | None = opening
    while chunk is not None:
        seen = answer.signs_of_life
        for event in _folded(answer, reader.feed(chunk)):
            yield event
        if answer.done:
            exchange.end_is_near = True
            return
        if answer.signs_of_life > seen:
            patience.content_came()
        if answer.is_finished:
            patience.nothing_more_expected()
        try:
            exchange.judge()
            chunk = await exchange.read()
        except UpstreamError:
            if answer.is_finished:  # whatever happened to [DONE], the text is whole
                return
            raise
    for event in _folded(answer, reader.close()):
        yield event


def _folded(answer: Answer, payloads: list[str]) -> Iterator[wire.Event]:
    """What these say, pieces of one text that came together as one: each goes through many hands."""
    text: wire.Delta | None = None
    try:
        for event in chain.from_iterable(map(answer.read, payloads)):
            if text and isinstance(event, wire.Delta) and event.index == text.index:
                text = wire.Delta(text.index, text.text + event.text)
                continue
            if text:
                yield text
            text = event if isinstance(event, wire.Delta) else None
            if text is None:
                yield event
    except UpstreamError:
        if text:
            yield text
        raise
    if text:
        yield text


async def _read_first_sound(exchange: Exchange, request: wire.SpeechRequest, secret: str) -> bytes:
    opening = b""
    while len(opening) < 4 and (chunk := await exchange.read()) is not None:
        opening += chunk
    if opening.lstrip().startswith(b"{"):
        excerpt = opening + await exchange.read_excerpt(MAX_BODY)
        raise_if_reported(wire.read_object(excerpt), request.model, secret)
    if not SPEECH_FORMATS[request.response_format].first_bytes.match(opening):
        raise BadAudio(format=request.response_format)
    return opening
