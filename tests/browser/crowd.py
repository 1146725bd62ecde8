"""Many pages without a browser: each follows its conversation and, sent away, comes back as the page's script does."""

import asyncio
import random
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.browser.portal import Portal
from tests.chat.page import Page
from tests.several.people import ask, follow, sign_in

T = TypeVar("T")


@dataclass
class Visitor:
    """One page. `opened` tells when its socket was, each time; `closed` with which codes."""

    portal: Portal
    client: httpx.AsyncClient
    path: str
    page: Page
    opened: list[float] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.page.texts()[-1]

    @property
    def state(self) -> str:
        return self.page.states()[-1]

    async def stay(self) -> None:
        attempts = 0
        while True:
            try:
                async with follow(self.portal, self.client, f"{self.path}?seen={self.page.seen()}") as socket:
                    self.opened.append(time.time())
                    attempts = 0
                    while True:
                        self.page.apply(str(await socket.recv()))
            except ConnectionClosed as closed:
                self.closed.append(closed.rcvd.code if closed.rcvd else 1006)
            except (OSError, InvalidHandshake, InvalidMessage):
                attempts += 1
            await asyncio.sleep(pause(attempts))


def pause(attempts: int) -> float:
    """As in chat-socket.js"""
    return 0.3 + random.random() * min(5, 1.5 * 2**attempts)


class Crowd:
    """In an event loop of a thread of its own, since the browser has this one."""

    def __init__(self, portal: Portal, loop: asyncio.AbstractEventLoop) -> None:
        self._portal, self._loop = portal, loop
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.visitors: list[Visitor] = []
        self._staying: list[asyncio.Task[None]] = []

    @classmethod
    @contextmanager
    def of(cls, portal: Portal) -> Iterator[Self]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        crowd = cls(portal, loop)
        try:
            yield crowd
        finally:
            crowd._wait(crowd._leave())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def ask(self, number: int, people: list[str], text: str, model: str) -> None:
        """So many conversations at once, and a page that follows each."""
        self._wait(self._ask_all(number, people, text, model))

    def reload(self, visitor: Visitor) -> Page:
        """What a page shows that was opened just now."""
        return self._wait(self._load(visitor.client, visitor.path))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _ask_all(self, number: int, people: list[str], text: str, model: str) -> None:
        self._clients = {person: await sign_in(self._portal, person) for person in people}
        await asyncio.gather(*(self._ask(people[one % len(people)], text, model) for one in range(number)))

    async def _ask(self, person: str, text: str, model: str) -> None:
        client = self._clients[person]
        path = await ask(client, text, model)
        visitor = Visitor(self._portal, client, path, await self._load(client, path))
        self.visitors.append(visitor)
        self._staying.append(asyncio.create_task(visitor.stay()))

    async def _load(self, client: httpx.AsyncClient, path: str) -> Page:
        return Page((await client.get(path)).text)

    async def _leave(self) -> None:
        for task in self._staying:
            task.cancel()
        await asyncio.gather(*self._staying, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
