"""Clients that send more than anybody has to say: cut off at once, and nobody notices."""

import asyncio
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.edge.fortress import Damage, Fortress
from tests.edge.wire import BINARY, PING, TEXT, Socket, Wire, frame, open_socket

MEGABYTE = 1024 * 1024
ATTACKERS = 10
NOTE = b'{"received": 1}'


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -9)
    return (packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


# What each of them sends again and again.
FLOODS = {
    "frames": frame(NOTE) * 1000,
    "pings": frame(b"x" * 125, PING) * 1000,
    "fragments": frame(b"x", 0, is_last=False) * 1000,
    "empty frames": frame(b"") * 1000,
    "megabytes": frame(bytes(MEGABYTE), BINARY),
    "halves of what is allowed": frame(bytes(30 * 1024), TEXT) * 30,
    "a bomb": frame(bomb(64 * MEGABYTE), TEXT, is_compressed=True),
}
BEGINNINGS = {"fragments": frame(b"x", TEXT, is_last=False)}


@pytest.fixture
def damage(portal: Fortress, bystander: Path) -> Iterator[Damage]:
    with portal.watched_by(bystander) as damage:
        yield damage
    assert damage.is_bearable()


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flooding_socket_is_cut_off(portal: Fortress, damage: Damage, flood: str) -> None:
    """Ten at once, which come back at once, for a second."""
    async with asyncio.timeout(20):
        await asyncio.gather(*(flood_again(portal, number, flood) for number in range(ATTACKERS)))
    assert damage.peak < damage.before + 50


async def flood_again(portal: Fortress, number: int, flood: str) -> None:
    give_up_at = time.monotonic() + 1
    while time.monotonic() < give_up_at:
        socket = await open_socket(portal, portal.people[number])
        # What the system had already taken on the way.
        assert await pour(socket, BEGINNINGS.get(flood, b""), FLOODS[flood]) < 20 * MEGABYTE


async def pour(socket: Socket, beginning: bytes, flood: bytes) -> int:
    """How many bytes went out before it was cut off."""
    sent = 0
    listening = asyncio.create_task(socket.live())
    with suppress(OSError):
        await socket.send(beginning)
        while not listening.done() and sent < 100 * MEGABYTE:
            await socket.send(flood)
            sent += len(flood)
            await asyncio.sleep(0)
    await listening
    socket.close()
    return sent


async def test_what_a_page_says_is_never_too_much(portal: Fortress) -> None:
    """It confirms each frame that it is sent, and a person does this and that."""
    socket = await open_socket(portal, portal.people[0])
    living = asyncio.create_task(socket.live())
    for _half_a_second in range(2):
        for _frame in range(25):
            await socket.send(frame(NOTE))
        await asyncio.sleep(0.5)
    assert not living.done()
    living.cancel()
    socket.close()


async def test_of_one_person_the_newest_sockets_stay(portal: Fortress, damage: Damage) -> None:
    sockets, lives = [], []
    for _number in range(300):
        sockets.append(await open_socket(portal, portal.people[0]))
        lives.append(asyncio.create_task(sockets[-1].live()))
    async with asyncio.timeout(10):
        while sum(life.done() for life in lives) < 250:
            await asyncio.sleep(0.05)
    # The page does not come back after this one by itself.
    assert {life.result() for life in lives[:250]} == {4429}
    assert not any(life.done() for life in lives[250:])
    for socket, life in zip(sockets, lives, strict=True):
        life.cancel()
        socket.close()


HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
WITH_LENGTH, WITHOUT = "Content-Length: 1000000000", "Transfer-Encoding: chunked"


@pytest.mark.parametrize("length", [WITH_LENGTH, WITHOUT])
@pytest.mark.parametrize("kind", [FORM, UPLOAD])
async def test_a_gigabyte_is_refused(portal: Fortress, damage: Damage, kind: str, length: str) -> None:
    wire = await Wire.open(portal)
    await wire.send(HEAD.format(path="/accounts/login/", kind=kind, length=length).encode())
    answer = asyncio.create_task(wire.answer())
    sent, piece = 0, bytes(MEGABYTE)
    piece = b"%x\r\n%b\r\n" % (len(piece), piece) if length == WITHOUT else piece
    with suppress(OSError):
        while not answer.done() and sent < 200 * MEGABYTE:
            await wire.send(piece)
            sent += len(piece)
    assert (await answer).startswith(b"HTTP/1.1 413 ")
    assert damage.peak < damage.before + 50


# The largest that is taken, made of what takes most to understand.
WORST_FORM = b"csrfmiddlewaretoken=x&text=" + b"%41" * 600_000


@pytest.mark.parametrize("cookie", ["", "sessionid={session}; "])
async def test_large_forms_take_their_turn(portal: Fortress, damage: Damage, cookie: str) -> None:
    cookie = cookie.format(session=portal.people[0][0]) + f"csrftoken={'x' * 32}"
    length = f"Content-Length: {len(WORST_FORM)}\r\nConnection: close\r\nCookie: {cookie}"
    head = HEAD.format(path="/accounts/login/", kind=FORM, length=length)
    answers = await asyncio.gather(*(post(portal, head.encode() + WORST_FORM) for _number in range(6)))
    assert {answer[:12] for answer in answers} == {
        b"HTTP/1.1 403" if "session" in cookie else b"HTTP/1.1 413"
    }


async def post(portal: Fortress, request: bytes) -> bytes:
    wire = await Wire.open(portal)
    await wire.send(request)
    return await wire.answer(30)


async def test_the_portal_is_well_afterwards(portal: Fortress) -> None:
    assert b"200 OK" in await post(portal, b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    log = portal.log.read_text()
    assert "Traceback" not in log, log[-3000:]
