"""What every test of the demo upstream needs: one running server, and someone who asks it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.demo.reading import TOKEN, chunks_of
from webchat.demo import DemoServer


class Asker:
    """A plain client, and the two questions that tests ask all the time."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def post(self, *texts: str, **fields: Any) -> httpx.Response:
        """The texts take turns: user, assistant, user …"""
        system = fields.pop("system", None)
        messages = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]
        messages = [{"role": "system", "content": system}, *messages] if system else messages
        body = {"model": "gpt-4", "temperature": 0, "messages": messages} | fields
        return await self.http.post("/v1/chat/completions", json=body)

    async def answer(self, *texts: str, **fields: Any) -> str:
        reply = await self.post(*texts, **fields)
        assert reply.status_code == 200, reply.text
        text: str = reply.json()["choices"][0]["message"]["content"]
        return text

    async def chunks(self, *texts: str, **fields: Any) -> list[dict[str, Any]]:
        reply = await self.post(*texts, stream=True, **fields)
        assert reply.status_code == 200, reply.text
        return chunks_of(reply.text)

    async def error(self, *texts: str, **fields: Any) -> dict[str, Any]:
        reply = await self.post(*texts, **fields)
        assert reply.status_code >= 400, reply.text
        error: dict[str, Any] = reply.json()["error"]
        return error | {"status": reply.status_code}


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    async with DemoServer() as server:
        yield server


@pytest.fixture
async def http(server: DemoServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, timeout=10, trust_env=False, verify=False
    ) as client:
        yield client


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Asker:
    return Asker(http)
