"""The portal is asked to end, or held for a while: what is acknowledged is kept, and it never takes long."""

import asyncio
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import aclosing, closing

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.browser.portal import Portal
from tests.several.conftest import NewPortal
from tests.several.people import ask, follow, frames_until, post, sign_in

RUNNING = 'data-role="assistant" data-state="streaming"'
COMPLETE = 'data-role="assistant" data-state="complete"'
SHORT, LONG = "count to 30", "count to 400"
HELD_SECONDS = 3


@pytest.fixture
def portal(new_portal: NewPortal, request: pytest.FixtureRequest) -> Iterator[Portal]:
    portal = new_portal(getattr(request, "param", "serve"))
    portal.start()
    yield portal
    if portal.is_running:
        portal.kill()


@pytest.mark.parametrize("portal", ["launcher"], indirect=True)
async def test_it_lets_finish_what_soon_does_and_begins_nothing_new(portal: Portal) -> None:
    """Asked by its launcher, which passes the signal on and waits."""
    async with aclosing(await sign_in(portal)) as client:
        short, long = await ask(client, SHORT), await ask(client, LONG)
        async with follow(portal, client, short) as quick, follow(portal, client, long) as slow:
            await frames_until(slow, RUNNING)
            ending = asyncio.create_task(asyncio.to_thread(portal.terminate))
            await until_not_ready(client)
            assert (await client.get("/healthz")).status_code == 200
            refused = await post(client, f"{short}messages/", text="one more")
            assert refused.status_code == 503 and refused.headers["retry-after"]
            assert "just being restarted" in refused.text
            assert COMPLETE in await frames_until(quick, COMPLETE)
            assert await close_code(slow) == await close_code(quick) == 4012
            assert await ending < 10
    ended = states(portal)
    assert (ended[SHORT], ended[LONG]) == ("complete", "interrupted")
    assert portal.count_questions("one more") == 0
    assert reserved(portal) == 0


async def test_it_ends_in_time_whatever_hangs(portal: Portal) -> None:
    async with aclosing(await sign_in(portal)) as client:
        silent, long = await ask(client, "hm?", "fault-F14-headers"), await ask(client, "count to 500")
        with stalled_reader(portal, client, long), closing(sqlite3.connect(portal.database)) as locked:
            async with follow(portal, client, silent), follow(portal, client, long) as page:
                await frames_until(page, RUNNING)
                locked.execute("BEGIN EXCLUSIVE")
                hanging = asyncio.create_task(post(client, f"{silent}messages/", text="not acknowledged"))
                await asyncio.sleep(0.3)
                ending = asyncio.create_task(asyncio.to_thread(portal.terminate))
                await asyncio.sleep(0.5)
                portal.signal(signal.SIGTERM)
                portal.signal(signal.SIGINT)
                assert await close_code(page) == 4012
                assert await ending < 10
                with pytest.raises(httpx.TransportError):
                    await hanging
                locked.rollback()
    assert portal.count_questions("not acknowledged") == 0
    # The next start finds the others: they were running, and nobody works on them any more.
    assert {states(portal)[text] for text in ("hm?", "count to 500")} <= {"pending", "streaming"}


async def test_held_for_longer_than_its_deadlines_it_goes_on(portal: Portal) -> None:
    """As by a debugger, a snapshot of the machine, a closed lid: nothing is given up because time has passed."""
    text = "count to 60"
    async with aclosing(await sign_in(portal)) as client:
        paths = [await ask(client, f"{text}, number {number}") for number in range(10)]
        pages = [await follow(portal, client, path) for path in paths]
        for page in pages:
            await frames_until(page, RUNNING)
        portal.signal(signal.SIGSTOP)
        await asyncio.sleep(HELD_SECONDS)
        portal.signal(signal.SIGCONT)
        for page in pages:
            await frames_until(page, COMPLETE)
            await page.close()
        assert (await client.get("/readyz")).status_code == 200
    assert {state for asked, state in states(portal).items() if asked.startswith(text)} == {"complete"}


async def until_not_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        while (await client.get("/readyz")).status_code != 503:
            await asyncio.sleep(0.02)


async def close_code(page: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await frames_until(page, "never")
    assert closed.value.rcvd
    return closed.value.rcvd.code


def stalled_reader(portal: Portal, client: httpx.AsyncClient, path: str) -> socket.socket:
    """A page that connects, and never reads."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    reader = socket.create_connection(("127.0.0.1", portal.port))
    reader.sendall(
        f"GET /ws{path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\nOrigin: {portal.site_url}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {cookies}\r\n\r\n".encode()
    )
    return reader


def states(portal: Portal) -> dict[str, str]:
    """How the answer to each question stands."""
    with closing(sqlite3.connect(portal.database, timeout=20)) as database:
        rows = database.execute(
            "SELECT question.text, answer.state FROM chat_message question"
            " JOIN chat_message answer ON answer.parent_id = question.id"
        )
        return dict(rows.fetchall())


def reserved(portal: Portal) -> int:
    with closing(sqlite3.connect(portal.database, timeout=20)) as database:
        query = "SELECT count(*) FROM allocation_usagerecord WHERE outcome = 'reserved'"
        (count,) = database.execute(query).fetchone()
    return int(count)
