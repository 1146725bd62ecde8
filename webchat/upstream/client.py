"""How do we call the API? With `pools`, the only module that imports httpx.

A client is an address and a secret, made for a call and thrown away; connections stay. No text of an exception of
the HTTP layer gets out of here: it may hold the secret.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import httpx

from . import errors, pools, replies, wire
from .address import normalise_base_url
from .answer import Answer
from .exchange import Exchange, Reply, persist
from .patience import Deadlines, Patience, note_wait, read_retry_after
from .reports import MAX_BODY, classify, read_refusal

__all__ = ["Deadlines", "UpstreamClient", "normalise_base_url"]

MAX_PARALLEL = 500
_MAX_IMAGES = 48 * 1024**2
_SECRET = re.compile(r"[\x21-\x7e]{8,512}")

logger = logging.getLogger(__name__)
_Call = Callable[[], AbstractAsyncContextManager[Reply]]


class UpstreamClient:
    """Raises ValueError for a bad address and BadSecret for a token that no header can carry."""

    def __init__(
        self,
        base_url: str,
        secret: str,
        *,
        deadlines: Deadlines | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        max_parallel: int = MAX_PARALLEL,
        waits_for_token: bool = True,
    ) -> None:
        self._base_url = normalise_base_url(base_url)
        if not _SECRET.fullmatch(secret):
            raise errors.BadSecret()
        self._secret = secret
        self._deadlines = deadlines or Deadlines()
        self._transport = transport
        self._max_parallel = max_parallel
        self._waits_for_token = waits_for_token

    async def models(self) -> list[wire.Model]:
        body = await self._fetch("", replies.MAX_JSON, self._call("GET", "models"))
        models = wire.read_models(replies.read_object(body, "", self._secret))
        if models is None:
            raise errors.NotAnAnswer()
        return models

    async def chat(self, request: wire.ChatRequest) -> AsyncGenerator[wire.Event, None]:
        """Use with contextlib.aclosing: closing the generator closes the connection at once."""
        patience = Patience(self._deadlines, waits_for_token=self._waits_for_token)
        if self._slots().locked():
            yield wire.Queued()
        async with self._slot():
            attempts = persist(lambda: self._chat(request, patience), patience)
            async with aclosing(attempts):
                async for event in attempts:
                    yield event

    async def speak(self, request: wire.SpeechRequest) -> AsyncGenerator[bytes, None]:
        """Sound of the format asked for, or an error before the first byte; use with contextlib.aclosing."""
        patience = Patience(self._deadlines)
        async with self._slot():
            attempts = persist(lambda: self._speak(request, patience), patience)
            async with aclosing(attempts):
                async for chunk in attempts:
                    if isinstance(chunk, bytes):
                        yield chunk

    async def transcribe(self, request: wire.TranscriptionRequest) -> wire.Transcript:
        # The person's own file name is nothing that the upstream needs to know.
        files = {"file": (f"audio.{request.extension}", request.content)}
        call = self._call(
            "POST", "audio/transcriptions", files=files, data=wire.transcription_fields(request)
        )
        try:
            body = await self._fetch(request.model, replies.MAX_JSON, call)
        except errors.ContextTooLong:
            raise errors.AudioTooLarge() from None
        transcript = replies.read_transcript(body, request, self._secret)
        if not transcript.text:
            raise errors.NothingHeard()
        return transcript

    async def images(self, request: wire.ImageRequest) -> list[wire.Image]:
        call = self._call("POST", "images/generations", json=wire.request_body(request))
        body = await self._fetch(request.model, _MAX_IMAGES, call)
        images = wire.read_images(replies.read_object(body, request.model, self._secret))
        if not images:
            raise errors.EmptyAnswer()
        return images

    async def _chat(self, request: wire.ChatRequest, patience: Patience) -> AsyncGenerator[wire.Event, None]:
        answer = Answer(request, self._secret)
        body = wire.request_body(request)
        if request.stream and self._base_url not in _without_stream_options:
            body["stream_options"] = {"include_usage": True}
        patience.begin(self._deadlines.first_content if request.stream else self._deadlines.reply)
        call = self._call("POST", "chat/completions", json=body)
        try:
            async with (
                self._exchange(request.model, call, patience) as exchange,
                aclosing(replies.read_answer(exchange, answer, patience)) as events,
            ):
                async for event in events:
                    yield event
        except errors.UpstreamError as error:
            if answer.usage:  # what was charged is charged, however the answer ended
                yield answer.usage
            if not isinstance(error, _StreamOptionsRefused) or "stream_options" not in body:
                raise
        else:
            if answer.usage:
                yield answer.usage
            return
        _without_stream_options.add(self._base_url)
        async with aclosing(self._chat(request, patience)) as events:
            async for event in events:
                yield event

    async def _speak(self, request: wire.SpeechRequest, patience: Patience) -> AsyncGenerator[bytes, None]:
        patience.begin(self._deadlines.reply)
        call = self._call("POST", "audio/speech", json=wire.request_body(request))
        async with self._exchange(request.model, call, patience) as exchange:
            sound = replies.read_sound(exchange, request, patience, self._secret)
            async with aclosing(sound):
                async for chunk in sound:
                    yield chunk

    async def _fetch(self, model: str, limit: int, call: _Call) -> bytes:
        """A reply in one piece."""
        patience = Patience(self._deadlines)

        async def attempt() -> AsyncGenerator[bytes, None]:
            patience.begin(self._deadlines.reply)
            async with self._exchange(model, call, patience) as exchange:
                yield await replies.read_whole(exchange, limit)

        async with self._slot(), aclosing(persist(attempt, patience)) as attempts:
            async for reply in attempts:
                if isinstance(reply, bytes):
                    return reply
        raise errors.UnknownProblem()

    @asynccontextmanager
    async def _exchange(self, model: str, call: _Call, patience: Patience) -> AsyncIterator[Exchange]:
        async with Exchange(call, _name, patience) as exchange:
            reply = await exchange.reply()
            if reply.status_code != 200:
                raise await self._refusal(exchange, reply, model, patience)
            if reply.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
                raise errors.Compressed()
            if "html" in reply.headers.get("content-type", "").lower():
                raise errors.NotAnAnswer()
            yield exchange

    async def _refusal(
        self, exchange: Exchange, reply: Reply, model: str, patience: Patience
    ) -> errors.UpstreamError:
        if reply.status_code < 300:
            return errors.NotAnAnswer()
        patience.nothing_more_expected()
        body = await exchange.read_excerpt(MAX_BODY)
        if reply.status_code in (400, 422) and b"stream_options" in body:
            return _StreamOptionsRefused()
        error = classify(reply.status_code, read_refusal(body), model=model, secret=self._secret)
        note_wait(error, read_retry_after(reply.headers.get("retry-after")))
        return error

    def _call(self, method: str, path: str, **content: Any) -> _Call:
        timeout = httpx.Timeout(None, connect=self._deadlines.connect, write=30)
        headers = {"Authorization": f"Bearer {self._secret}"}
        url = f"{self._base_url}/v1/{path}"
        return lambda: self._http().stream(method, url, headers=headers, timeout=timeout, **content)

    def _http(self) -> httpx.AsyncClient:
        return pools.new_client(self._transport) if self._transport else pools.here().http

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        slots = self._slots()
        try:
            async with asyncio.timeout(min(self._deadlines.queue, self._deadlines.total)):
                await slots.acquire()
        except TimeoutError:
            raise errors.QueueFull() from None
        try:
            yield
        finally:
            slots.release()

    def _slots(self) -> asyncio.Semaphore:
        key = (self._base_url, self._max_parallel)
        return pools.here().slots.setdefault(key, asyncio.Semaphore(self._max_parallel))


class _StreamOptionsRefused(errors.InvalidRequest):
    """The upstream does not know how to report usage: it is asked once more, without."""


_without_stream_options: set[str] = set()


def _name(error: Exception, answered: bool) -> errors.UpstreamError:
    """By its class alone: the text of an httpx exception may hold the secret."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return errors.Unreachable()
    if isinstance(error, httpx.RemoteProtocolError) and not answered:
        return errors.NotAnAnswer()
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.LocalProtocolError):
        return errors.ConnectionLost()
    logger.error("unexpected %s while calling the upstream", type(error).__name__)
    return errors.UnknownProblem()
