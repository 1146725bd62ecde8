"""Who answers which request? The demo upstream itself: paths, connections, and the requests it has seen."""

import asyncio
import contextlib
import sys
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self

import h11

from webchat.demo.call import Call
from webchat.demo.chat import answering as chat
from webchat.demo.chat import catalogue
from webchat.demo.chat.question import read_question
from webchat.demo.faults import catalogue as faults
from webchat.demo.media import pictures, speech, transcription
from webchat.demo.memory import Memory
from webchat.demo.refusals import Refusal, check_token, unknown_model
from webchat.demo.wire import READ_SIZE, Exchange, Request, read_request

LONGEST_EXCHANGE = 20 * 60
LONGEST_HEAD = 65_536
WELCOME = (
    b"Demo upstream: an OpenAI-compatible API with scripted answers and no real model. Try GET /v1/models.\n"
)


class DemoServer:
    """`async with DemoServer() as server:` or, in synchronous code, `with DemoServer.in_thread() as server:`.

    `pace` is the pause between two chunks in seconds. A model name may end in its own, as in `gpt-4@200ms`.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, pace: float = 0.0, remember: int = 1000
    ) -> None:
        self.host = host
        self.port = port
        self.requests: deque[Request] = deque(maxlen=remember)
        self.canary_hits = 0
        self._memory = Memory(pace)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def clear(self) -> None:
        self.requests.clear()
        self.canary_hits = 0
        self._memory.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @classmethod
    @contextlib.contextmanager
    def in_thread(cls, *, pace: float = 0.0) -> Iterator[Self]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="demo-upstream", daemon=True)
        thread.start()
        server = cls(pace=pace)
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the server is ending: nobody is there to be told
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        while True:
            try:
                request = await read_request(connection, reader, writer)
            except h11.RemoteProtocolError as error:
                writer.write(
                    f"HTTP/1.1 {error.error_status_hint} Bad Request\r\nConnection: close\r\n\r\n".encode()
                )
                return
            if request is None:
                return
            self.requests.append(request)
            exchange = Exchange(request, connection, writer, self._memory)
            is_complete = await self._answer_while_client_stays(exchange, connection, reader)
            if not is_complete or exchange.is_raw or connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()

    async def _answer_while_client_stays(
        self, exchange: Exchange, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> bool:
        """Whether the reply was given in full; a client that leaves ends the work on its answer at once."""
        answering = asyncio.create_task(self._answer(exchange))
        watching = asyncio.create_task(_client_leaves(connection, reader))
        is_complete = False
        try:
            both = {answering, watching}
            await asyncio.wait(both, timeout=LONGEST_EXCHANGE, return_when=asyncio.FIRST_COMPLETED)
            is_complete = answering.done() and answering.exception() is None
        finally:
            answering.cancel()
            watching.cancel()
            await asyncio.gather(answering, watching, return_exceptions=True)
            exchange.request.end(aborted=not is_complete)
        return is_complete

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._route(exchange)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except ConnectionError:
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            if not exchange.has_begun:
                await exchange.refuse(Refusal(500, "The demo upstream has a bug.", kind="server_error"))

    async def _route(self, exchange: Exchange) -> None:
        request = exchange.request
        path = request.path.removeprefix("/v1").rstrip("/")
        if path == "":
            await exchange.reply(200, WELCOME, "text/plain; charset=utf-8")
            return
        if path == "/canary":
            self.canary_hits += 1
            await exchange.reply(200, b"canary", "text/plain")
            return
        check_token(request.headers)
        if path == "/models" or path.startswith("/models/"):
            await _list_models(exchange, path.removeprefix("/models").removeprefix("/"))
            return
        handler = _ENDPOINTS.get(path)
        if handler is None:
            raise Refusal(404, f"Invalid URL ({request.method} {request.path})", code="unknown_url")
        if request.method != "POST":
            raise Refusal(
                405, f"Not allowed to {request.method} on {request.path}", headers=(("allow", "POST"),)
            )
        await handler(exchange)


async def _client_leaves(connection: h11.Connection, reader: asyncio.StreamReader) -> None:
    try:
        while data := await reader.read(READ_SIZE):
            connection.receive_data(data)
    except ConnectionError:
        pass


async def _list_models(exchange: Exchange, model: str) -> None:
    entries = catalogue.entries() + faults.entries()
    if not model:
        await exchange.reply_json(200, {"object": "list", "data": entries})
        return
    for entry in entries:
        if entry["id"] == model:
            await exchange.reply_json(200, entry)
            return
    raise unknown_model(model)


async def _chat(exchange: Exchange) -> None:
    question = read_question(exchange.request.body)
    fault = faults.named(question.model.id)
    ordinary = partial(chat.answer, exchange, question)
    await (fault.play(Call(exchange, question, question.fingerprint, ordinary)) if fault else ordinary())


async def _speech(exchange: Exchange) -> None:
    order = speech.read_order(exchange.request.body)
    fault = faults.named(order.model)
    ordinary = partial(speech.answer, exchange, order)
    await (fault.play(Call(exchange, None, order.input, ordinary)) if fault else ordinary())


async def _transcription(exchange: Exchange) -> None:
    recording = transcription.read_recording(exchange.request)
    fault = faults.named(recording.model)
    ordinary = partial(transcription.answer, exchange, recording)
    await (fault.play(Call(exchange, None, recording.filename, ordinary)) if fault else ordinary())


async def _images(exchange: Exchange) -> None:
    wish = pictures.read_wish(exchange.request.body)
    fault = faults.named(wish.model)
    ordinary = partial(pictures.answer, exchange, wish)
    await (fault.play(Call(exchange, None, wish.prompt, ordinary)) if fault else ordinary())


_ENDPOINTS: dict[str, Callable[[Exchange], Awaitable[None]]] = {
    "/chat/completions": _chat,
    "/audio/speech": _speech,
    "/audio/transcriptions": _transcription,
    "/images/generations": _images,
}
