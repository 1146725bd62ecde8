"""The same over any ASGI server: who may open a socket, what it says, and what the server does when it starts."""

import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.portal import Portal
from tests.chat.page import Page
from tests.several.conftest import NewPortal
from tests.several.people import ask, follow, frames_until, sign_in

COMPLETE = 'data-role="assistant" data-state="complete"'


@pytest.fixture(scope="module", params=["serve", "uvicorn"])
def portal(request: pytest.FixtureRequest, new_portal: NewPortal) -> Iterator[Portal]:
    portal = new_portal(request.param)
    portal.start()
    yield portal
    portal.terminate()


@pytest.fixture
async def client(portal: Portal) -> AsyncIterator[httpx.AsyncClient]:
    async with aclosing(await sign_in(portal)) as client:
        yield client


async def test_the_start_brings_the_token_and_the_models(portal: Portal) -> None:
    with closing(sqlite3.connect(portal.database)) as database:
        assert database.execute("SELECT count(*) FROM allocation_apitoken WHERE is_active").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM allocation_modelinfo").fetchone() > (10,)


async def test_a_page_is_told_the_answer_and_ends_as_a_fresh_one(
    portal: Portal, client: httpx.AsyncClient
) -> None:
    path = await ask(client, "count to 40")
    page = Page((await client.get(path)).text)
    frames = 0
    async with follow(portal, client, f"{path}?seen={page.seen()}") as socket:
        while page.states()[-1] != "complete":
            page.apply(str(await socket.recv()))
            frames += 1
            await socket.send(json.dumps({"received": frames}))
    assert frames > 3
    assert page.picture() == Page((await client.get(path)).text).picture()


async def test_refusals_come_after_the_handshake(portal: Portal, client: httpx.AsyncClient) -> None:
    path = await ask(client, "echo: mine")
    nobody = httpx.AsyncClient()
    assert await close_code(follow(portal, nobody, path)) == 4401
    assert await close_code(follow(portal, client, f"/conversations/{uuid.uuid4()}/")) == 4404
    assert await close_code(follow(portal, client, "/nothing/")) == 4404


async def test_no_other_origin_opens_a_socket(portal: Portal, client: httpx.AsyncClient) -> None:
    path = await ask(client, "echo: mine")
    for origin in ("http://evil.example", portal.site_url.replace("http:", "https:"), "null"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{portal.port}/ws{path}", origin=origin)
        assert refused.value.response.status_code == 403


async def test_what_is_no_frame_is_told_once_and_too_long_a_one_ends_it(
    portal: Portal, client: httpx.AsyncClient
) -> None:
    path = await ask(client, "echo: mine")
    async with follow(portal, client, path) as socket:
        await frames_until(socket, COMPLETE)
        for nonsense in ("{", "[]", '{"received": -1}'):
            await socket.send(nonsense)
        await frames_until(socket, "<toast-note")
        with pytest.raises(ConnectionClosed):
            await socket.send("x" * 2_000_000)
            await frames_until(socket, "never")


async def close_code(connecting: connect) -> int:
    async with connecting as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await frames_until(socket, "never")
    assert closed.value.rcvd
    return closed.value.rcvd.code
