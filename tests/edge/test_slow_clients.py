"""Clients that are slow, or silent, on purpose: let go in time, all at once, and nobody notices.

Each kind waits for its own deadline; they wait together, once for all tests.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.edge.fortress import Damage, Fortress, Person, Talker
from tests.edge.wire import Socket, Wire, open_socket
from tests.several.people import ask, sign_in

# What is promised, and what a machine that is busy with other things may need beyond it.
STALLED_SECONDS, SLOW_SECONDS, ROOM = 20, 30, 5
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
POST = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"


@dataclass
class Siege:
    damage: Damage
    # The talker's memory: before, and at most.
    talker_grew: float
    # After how many seconds each was let go.
    stalled: list[float]
    stalled_at_talker: list[float]
    unread_answers: list[float]
    header_trickles: list[float]
    body_trickles: list[float]
    silent: list[float]
    kept_alive: list[float]
    idle_sockets_left: int


@pytest.fixture(scope="module")
def siege(portal: Fortress, bystander: Path, talker: Talker) -> Siege:
    return asyncio.run(besiege(portal, bystander, talker))


async def besiege(portal: Fortress, bystander: Path, talker: Talker) -> Siege:
    before = talker.rss
    alice = await sign_in(portal)
    path = await ask(alice, "Count to 5000")
    reader = (alice.cookies["sessionid"], path.strip("/").partition("/")[2])
    with portal.watched_by(bystander) as damage:
        idle = asyncio.create_task(open_idle(portal))
        kinds = await asyncio.gather(
            several(50, lambda: stall(portal, reader)),
            several(25, lambda: stall(talker, ("", "/talk/"))),
            several(25, lambda: leave_unread(talker)),
            several(200, lambda: trickle(portal, b"GET / HTTP/1.1\r\nX-Slow: ")),
            several(50, lambda: trickle(portal, POST)),
            several(500, lambda: keep_silent(portal, b"")),
            several(500, lambda: keep_silent(portal, GET)),
            watch_talker(talker, before),
        )
        sockets = await idle
        left = sum(not life.done() for _socket, life in sockets)
    for socket, life in sockets:
        life.cancel()
        socket.close()
    *seconds, grew = kinds
    return Siege(damage, grew, *seconds, idle_sockets_left=left)  # type: ignore[arg-type]


async def several(count: int, attack: Any) -> list[float]:
    return await asyncio.gather(*(attack() for _number in range(count)))


async def stall(server: Fortress | Talker, person: Person) -> float:
    """Asks for an answer and reads nothing of it. Without compression there is more of it."""
    socket = await open_socket(server, person, reads_little=True, Sec_WebSocket_Extensions="")
    return await until_let_go(socket)


async def leave_unread(talker: Talker) -> float:
    wire = await Wire.open(talker, reads_little=True)
    await wire.send(b"GET /talk/ HTTP/1.1\r\nHost: x\r\n\r\n")
    return await until_let_go(wire)


async def until_let_go(wire: Wire) -> float:
    """After how many seconds the other side has reset it; the system tells without reading."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not wire.is_reset() and loop.time() < began + 60:
        await asyncio.sleep(0.2)
    wire.close()
    return loop.time() - began


async def trickle(portal: Fortress, beginning: bytes) -> float:
    wire = await Wire.open(portal)
    await wire.send(beginning)
    closed = asyncio.create_task(wire.until_closed(60))
    while not closed.done():
        await asyncio.wait([closed], timeout=1)
        wire.writer.write(b"x")
    wire.close()
    return closed.result()


async def keep_silent(portal: Fortress, request: bytes) -> float:
    wire = await Wire.open(portal)
    if request:
        await wire.send(request)
        await wire.reader.readuntil(b"\r\n\r\n")
    return await wire.until_closed(60)


async def open_idle(portal: Fortress) -> list[tuple[Socket, "asyncio.Task[int | None]"]]:
    """A thousand, forty for each of 25 people."""
    sockets = []
    for number in range(1000):
        socket = await open_socket(portal, portal.people[number % 25])
        sockets.append((socket, asyncio.create_task(socket.live())))
    return sockets


async def watch_talker(talker: Talker, before: float) -> float:
    grew = 0.0
    for _look in range(150):
        await asyncio.sleep(0.1)
        grew = max(grew, talker.rss - before)
    return grew


def test_others_do_not_notice(siege: Siege) -> None:
    assert siege.damage.is_bearable()


def test_who_reads_nothing_is_let_go(siege: Siege) -> None:
    assert max(siege.stalled) < STALLED_SECONDS + ROOM
    assert max(siege.stalled_at_talker) < STALLED_SECONDS + ROOM
    assert max(siege.unread_answers) < SLOW_SECONDS + ROOM


def test_what_is_not_read_is_not_kept(siege: Siege) -> None:
    """Fifty who would take all that there is: a megabyte for four of them."""
    assert siege.talker_grew < 12


@pytest.mark.parametrize("kind", ["header_trickles", "body_trickles", "silent", "kept_alive"])
def test_who_never_finishes_is_let_go(siege: Siege, kind: str) -> None:
    assert max(getattr(siege, kind)) < SLOW_SECONDS + ROOM


def test_a_thousand_idle_sockets_are_no_burden(siege: Siege) -> None:
    assert siege.idle_sockets_left == 1000


async def test_a_slow_line_is_enough(portal: Fortress) -> None:
    """What arrives bit by bit is not let go for it."""
    wire = await Wire.open(portal)
    beginning = (
        b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
    )
    for number in range(0, len(beginning), 10):
        await wire.send(beginning[number : number + 10])
        await asyncio.sleep(0.05)
    await wire.send(b"a=b")
    assert (await wire.answer()).startswith(b"HTTP/1.1 403 ")
