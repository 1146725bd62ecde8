"""Which practice faults are a whole reply? Statuses, refusals, and answers of the wrong kind."""

import asyncio
import itertools
import time
import zlib
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import msgspec

from webchat.demo.call import Call
from webchat.demo.chat import answering as chat
from webchat.demo.chat.chunks import DONE, event
from webchat.demo.media import transcription
from webchat.demo.refusals import NO_CREDIT, Refusal, error, invalid

Play = Callable[[Call], Awaitable[None]]

CDN_PAGE = (
    b"<!doctype html><html><head><title>Attention Required!</title></head>"
    b"<body><h1>Sorry, you have been blocked</h1><script>document.title = 'blocked'</script></body></html>"
)
NO_CREDIT_ERROR = error("You exceeded your current quota.", kind=NO_CREDIT, code=NO_CREDIT)
MEGABYTE = 1024 * 1024


def json_reply(status: int, document: object, headers: tuple[tuple[str, str], ...] = ()) -> Play:
    async def play(call: Call) -> None:
        await call.exchange.reply_json(status, document, headers)

    return play


def other_reply(status: int, content: bytes, content_type: str) -> Play:
    async def play(call: Call) -> None:
        await call.exchange.reply(status, content, content_type)

    return play


def first(times: int, fault: Play) -> Play:
    """The fault for the first tries of the same request, then the ordinary answer, then all over again."""

    async def play(call: Call) -> None:
        is_spoilt = call.exchange.memory.attempt(call.key) % (times + 1) < times
        await (fault(call) if is_spoilt else call.answer())

    return play


def rate_limited(retry_after: str | None) -> Play:
    headers = () if retry_after is None else (("retry-after", retry_after),)
    return json_reply(429, error("Rate limit reached.", kind="requests", code="rate_limit_exceeded"), headers)


async def rate_limited_until_date(call: Call) -> None:
    await rate_limited(formatdate(time.time() + 3, usegmt=True))(call)


async def token_refused(call: Call) -> None:
    """Quotes the whole key, as careless servers do: nobody may ever see this message."""
    token = call.exchange.request.headers["authorization"].removeprefix("Bearer ")
    raise Refusal(401, f"Incorrect API key provided: {token}.", code="invalid_api_key")


async def reset(call: Call) -> None:
    await call.exchange.reset()


async def bomb(call: Call) -> None:
    """A megabyte on the wire, a gigabyte when unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    await call.exchange.open_stream(headers=[("content-encoding", "gzip")])
    await call.exchange.send(start)
    for _ in range(1023):  # each block stands alone after a full flush, so it can be sent again
        await call.exchange.send(again)
    await call.exchange.end()


def redirect(status: int, location: str) -> Play:
    async def play(call: Call) -> None:
        host = call.exchange.request.headers.get("host", "127.0.0.1")
        await call.exchange.reply(status, b"", "text/plain", [("location", location.format(host=host))])

    return play


async def empty_stream(call: Call) -> None:
    await call.exchange.open_stream()
    await call.exchange.end()


async def only_done(call: Call) -> None:
    await call.exchange.open_stream()
    await call.exchange.end(DONE)


async def no_content(call: Call) -> None:
    await call.exchange.reply_nothing(204)


async def quota_in_stream(call: Call) -> None:
    await call.exchange.open_stream()
    await call.exchange.end(event(NO_CREDIT_ERROR) + DONE)


async def whole_instead_of_stream(call: Call) -> None:
    if call.question is None:
        raise invalid("This practice fault is for chat.", "model")
    answers = [chat.compose(call.question, index) for index in range(call.question.n)]
    await call.exchange.reply_json(200, chat.whole(call.question, answers))


async def wrong_audio(call: Call) -> None:
    await call.exchange.reply(200, CDN_PAGE, "audio/mpeg")


async def json_as_audio(call: Call) -> None:
    await call.exchange.reply(200, msgspec.json.encode(error("The voice is out of order.")), "audio/mpeg")


async def transcribe_slowly(call: Call) -> None:
    await asyncio.sleep(300)
    await call.answer()


async def too_large(call: Call) -> None:
    raise transcription.too_large(len(call.exchange.request.body))


async def set_cookie(call: Call) -> None:
    call.exchange.more_headers = [("set-cookie", "demo-session=1; Path=/; Max-Age=86400")]
    await call.answer()


async def huge_headers(call: Call) -> None:
    call.exchange.more_headers = [(f"x-demo-{at}", "x" * 1000) for at in range(100)]
    await call.answer()


async def informational(call: Call) -> None:
    for status in itertools.repeat(103, 3):
        await call.exchange.inform(status)
    await call.answer()
