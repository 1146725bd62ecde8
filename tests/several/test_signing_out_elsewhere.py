"""Two processes without Redis: access that ends in one ends in the other, too, for it is the database that is asked."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.browser.portal import Portal
from tests.several.people import ask, follow, frames_until, post, sign_in
from webchat.demo.server import DemoServer

ANSWER = re.compile(r'id="message-([0-9a-f-]{36})" data-role="assistant"')


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Portal, Portal]]:
    with DemoServer.in_thread(pace=0.03) as upstream:
        one, two = (Portal(tmp_path_factory.mktemp("signing-out"), upstream.url) for _ in range(2))
        two.share(one)
        one.prepare()
        one.start()
        two.start()
        yield one, two
        one.kill()
        two.kill()


async def test_signing_out(portals: tuple[Portal, Portal]) -> None:
    one, two = portals
    async with aclosing(await sign_in(one)) as client, answering(one, two, client) as (sockets, answer):
        async with httpx.AsyncClient(
            base_url=two.url, cookies=client.cookies, headers={"Origin": two.site_url}
        ) as there:
            assert (await post(there, "/accounts/logout/")).status_code == 302
        assert await closed_with(sockets) == [4401, 4401]
        await until_interrupted(one, answer)


async def test_deactivation(portals: tuple[Portal, Portal]) -> None:
    one, two = portals
    async with aclosing(await sign_in(one)) as client, answering(one, two, client) as (sockets, answer):
        with closing(sqlite3.connect(one.database, timeout=20)) as database, database:
            database.execute("UPDATE accounts_user SET is_active = 0 WHERE username = 'alice'")
        assert await closed_with(sockets) == [4401, 4401]
        await until_interrupted(one, answer)


@asynccontextmanager
async def answering(
    one: Portal, two: Portal, client: httpx.AsyncClient
) -> AsyncIterator[tuple[list[ClientConnection], str]]:
    """A socket in each process, in the middle of an answer that the first one brings; and the answer's id."""
    path = await ask(client, "count to 400")
    async with follow(one, client, path) as here, follow(two, client, path) as there:
        seen = await frames_until(here, 'data-role="assistant" data-state="streaming"')
        await frames_until(there, 'data-role="assistant"')
        yield [here, there], ANSWER.findall(seen)[-1]


async def closed_with(sockets: list[ClientConnection]) -> list[int]:
    async with asyncio.timeout(4):
        return list(await asyncio.gather(*map(code, sockets)))


async def code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await frames_until(socket, "never")
    return closed.value.rcvd.code if closed.value.rcvd else 1006


async def until_interrupted(portal: Portal, answer: str) -> None:
    async with asyncio.timeout(4):
        while (state := portal.stored(answer)[0]) != "interrupted":
            assert state in ("pending", "streaming")
            await asyncio.sleep(0.1)
