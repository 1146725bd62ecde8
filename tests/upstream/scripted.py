"""A raw server of our own: a test says what comes over the wire, byte by byte."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from webchat.upstream.client import UpstreamClient
from webchat.upstream.wire import ChatRequest, Delta, Event, Message

SECRET = "sk-canary-0123456789"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"

Script = Callable[["Wire"], Awaitable[None]]


class Wire:
    """The server's end of one connection, after one request was read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes
    ) -> None:
        self.reader, self.writer, self.head, self.body = reader, writer, head, body
        self.is_whole = False  # a whole reply was sent: the connection may stay

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    async def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def reply(
        self, status: int, body: bytes = b"", headers: str = "", kind: str = "application/json"
    ) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        await self.send(head.encode(), body)
        self.is_whole = True

    async def until_left(self) -> None:
        await self.reader.read()

    def abort(self) -> None:
        self.writer.transport.abort()


@dataclass
class Upstream:
    scripts: list[Script] = field(default_factory=list)
    requests: list[Wire] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    url: str = ""

    def will(self, *scripts: Script) -> None:
        """One script per request; the last one answers all the others, too."""
        self.scripts = list(scripts)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                ]
                body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
                wire = Wire(reader, writer, head, body)
                self.requests.append(wire)
                self.asked.set()
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                await script(wire)
                if not wire.is_whole:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.left.set()
            writer.close()


def question(n: int = 1, stream: bool = True) -> ChatRequest:
    return ChatRequest(model="gpt-4", messages=[Message("user", "hello")], n=n, stream=stream)


async def ask(client: UpstreamClient, request: ChatRequest | None = None) -> list[Event]:
    """All events; what was wrong is raised."""
    return (await ask_until_error(client, request, reraise=True))[0]


async def ask_until_error(
    client: UpstreamClient, request: ChatRequest | None = None, reraise: bool = False
) -> tuple[list[Event], Exception | None]:
    events: list[Event] = []
    try:
        async with aclosing(client.chat(request or question())) as stream:
            async for event in stream:
                events.append(event)
    except Exception as error:
        if reraise:
            raise
        return events, error
    return events, None


def text_of(events: list[Event], index: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta) and event.index == index)


def chunk(text: str | None = None, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    value = {"id": "cmpl-1", "model": "gpt4", "choices": [choice], **more}
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
