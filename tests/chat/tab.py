"""A browser's tab: the page as it was loaded, and what its socket has made of it since."""

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Self

from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from tests.chat.asking import socket
from tests.chat.page import Page
from webchat.chat.models import Conversation


class Tab:
    """`async with Tab(client, conversation) as tab:` loads the page and follows."""

    def __init__(self, client: AsyncClient, conversation: Conversation, *, confirms: bool = True) -> None:
        self.client, self.conversation, self.confirms = client, conversation, confirms
        self.frames: list[str] = []
        self.closed_with: int | None = None
        self._connection: WebsocketCommunicator | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.load()
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    async def load(self) -> None:
        response = await self.client.get(self.conversation.get_absolute_url())
        self.page = Page(response.content.decode())

    async def connect(self, *, says_seen: bool = True) -> None:
        thread = self.page.find("#thread")
        assert thread is not None
        query = thread.get("ws-connect", "").partition("?")[2]
        seen = f"&seen={self.page.seen()}" if says_seen else ""
        self._connection = socket(self.client, self.conversation, f"?{query}{seen}")
        accepted, _protocol = await self._connection.connect(timeout=5)
        assert accepted
        self._reading = asyncio.create_task(self._read(self._connection))

    async def leave(self) -> None:
        """The connection is gone; the page stays as it is."""
        if self._connection and self._reading:
            self._reading.cancel()
            await self._connection.disconnect(timeout=5)
            self._connection = self._reading = None

    async def say(self, text: str | None = None, data: bytes | None = None) -> None:
        assert self._connection
        await self._connection.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def until(self, is_so: Callable[["Tab"], bool], seconds: float = 15) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not is_so(self):
                    if self._reading and self._reading.done():
                        self._reading.result()
                        assert self.closed_with is None or is_so(self), f"closed with {self.closed_with}"
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"never so: {self.page.states()} {self.page.texts()}") from None

    async def until_shown(self, length: int) -> None:
        """The last message has at least so much text."""
        await self.until(lambda tab: len(tab.page.texts()[-1]) >= length)

    async def until_ended(self) -> None:
        await self.until(lambda tab: not {"pending", "streaming"} & set(tab.page.states()))

    async def _read(self, connection: WebsocketCommunicator) -> None:
        received = 0
        while True:
            event = await connection.output_queue.get()
            if event["type"] == "websocket.close":
                self.closed_with = event.get("code", 1000)
                return
            self.page.apply(event["text"])
            self.frames.append(event["text"])
            received += 1
            if self.confirms:
                await self.say(json.dumps({"received": received}))
