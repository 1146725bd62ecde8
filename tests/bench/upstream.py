"""Who answers in the bench? A fast upstream in a process of its own; the model's name is its behaviour.

It listens on a free port of 127.0.0.1, which it prints. Any bearer token is taken.
"""

import asyncio
import gc
import json
import time
from typing import Any, cast

import httptools
import uvloop

from tests.bench.answers import Plan

MODELS = [
    "bench-200x20ms",
    "bench-100x50ms",
    "bench-200x50ms",
    "bench-4000x1ms-md-e5",
    "bench-4000x1ms-md",
    "bench-20x5ms",
]
FIRST_CHUNK_SECONDS = 0.02
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
plans: dict[str, Plan] = {}


def main() -> None:
    uvloop.run(serve())


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    # A pause to collect garbage would look like a late chunk of the portal's.
    gc.freeze()
    gc.disable()
    async with server:
        await server.serve_forever()


class Upstream(asyncio.Protocol):
    """One connection, kept alive."""

    transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_message_begin(self) -> None:
        self.url, self.body, self.has_token = b"", b"", False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self.has_token = value.startswith(b"Bearer ") and len(value) > 7

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if not self.has_token:
            self._reply(b"401 Unauthorized", {"error": {"message": "missing bearer token"}})
        elif self.url == b"/v1/models":
            self._reply(b"200 OK", {"object": "list", "data": [_model(name) for name in MODELS]})
        elif self.url == b"/v1/chat/completions":
            self._answer(json.loads(self.body))
        else:
            self._reply(b"404 Not Found", {"error": {"message": "not found"}})

    def _answer(self, request: dict[str, Any]) -> None:
        if request.get("stream"):
            Stream(self.transport, request["model"]).begin()
            return
        # Titles and the like are asked for in one piece; they come at once.
        message = {"role": "assistant", "content": "Bench chat"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._reply(b"200 OK", {**_head(request["model"], ""), "choices": [choice], "usage": USAGE})

    def _reply(self, status: bytes, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)


class Stream:
    """One answer. Its chunks leave at fixed times, so that a late one does not delay those behind it."""

    def __init__(self, transport: asyncio.WriteTransport, model: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._plan = plans.setdefault(model, Plan.of(model))
        self._head = json.dumps(_head(model, ".chunk"))[:-1]
        self._prefix = self._head + ', "choices": [{"index": 0, "delta": {"content": "'
        self._next = 0
        self._stamp = 0

    def begin(self) -> None:
        self._transport.write(STREAM_HEAD + _event(self._choice({"role": "assistant", "content": ""})))
        self._began_at = self._loop.time() + min(self._plan.seconds, FIRST_CHUNK_SECONDS)
        self._loop.call_at(self._began_at, self._send)

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        chunk = self._plan.chunks[self._next]
        text = _quoted(chunk.before) + (self._new_stamp() if chunk.has_stamp else "") + _quoted(chunk.after)
        self._transport.write(_event(f'{self._prefix}{text}"}}, "finish_reason": null}}]}}'))
        self._next += 1
        if self._next < self._plan.count:
            self._loop.call_at(self._began_at + self._next * self._plan.seconds, self._send)
        else:
            self._end()

    def _new_stamp(self) -> str:
        self._stamp = max(self._stamp + 1, time.time_ns() // 1000)
        return f"t{self._stamp}z"

    def _end(self) -> None:
        usage = f'{self._head}, "choices": [], "usage": {json.dumps(USAGE)}}}'
        events = [self._choice({}, "stop"), usage, "[DONE]"]
        self._transport.write(b"".join(map(_event, events)) + b"0\r\n\r\n")

    def _choice(self, delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return f'{self._head}, "choices": {json.dumps([choice])}}}'


def _event(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _head(model: str, kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-bench",
        "object": f"chat.completion{kind}",
        "created": int(time.time()),
        "model": model,
    }


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1, "owned_by": "bench"}


if __name__ == "__main__":
    main()
