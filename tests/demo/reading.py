"""What did a reply say? Readings of streams, whole or broken off."""

import asyncio
import json
from typing import Any

import httpx

from webchat.demo import DemoServer

TOKEN = "sk-demo-0123456789"


def chunks_of(body: str) -> list[dict[str, Any]]:
    events = body.split("\n\n")
    return [json.loads(event.removeprefix("data: ")) for event in events if event not in ("", "data: [DONE]")]


def text_of(chunks: list[dict[str, Any]], index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.get("choices", []) if choice["index"] == index]
    return "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)


def stream_body(model: str) -> dict[str, Any]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": "hello"}]}


async def received(http: httpx.AsyncClient, model: str) -> tuple[bytes, Exception | None]:
    """All bytes of a stream, and how it ended."""
    data = b""
    try:
        async with http.stream("POST", "/v1/chat/completions", json=stream_body(model)) as reply:
            async for block in reply.aiter_raw():
                data += block
    except httpx.TransportError as error:
        return data, error
    return data, None


async def start_of(http: httpx.AsyncClient, model: str, enough: bytes) -> bytes:
    """What arrives until enough did; then the client leaves."""
    data = b""
    async with http.stream("POST", "/v1/chat/completions", json=stream_body(model)) as reply:
        async for block in reply.aiter_raw():
            data += block
            if enough in data:
                break
    return data


async def wire(server: DemoServer, model: str) -> bytes:
    """The reply exactly as it is on the wire."""
    body = json.dumps(stream_body(model)).encode()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    data = await reader.read()
    writer.close()
    return data


def partial_text(data: bytes) -> str:
    whole_events = data[: data.rfind(b"\n\n") + 2].decode().replace(": keepalive\n\n", "")
    return text_of(chunks_of(whole_events))
