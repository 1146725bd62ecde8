"""Bodies that are held, or left behind: neither keeps others from sending, nor is half of one taken for the whole."""

import asyncio
import re

import pytest

from tests.edge.fortress import Fortress, Talker
from tests.edge.wire import Wire
from webchat.edge.requests import LARGE_FORM, LARGEST_BODIES

MEGABYTE = 1024 * 1024
FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


def head(length: int, path: str = "/", kind: str = FORM, cookie: str = "") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {length}", *([f"Cookie: {cookie}"] if cookie else []), "", ""]
    return "\r\n".join(lines).encode()


async def post(server: Fortress | Talker, request: bytes) -> bytes:
    wire = await Wire.open(server)
    await wire.send(request)
    return (await wire.answer())[:12]


async def test_whoever_holds_all_bodies_leaves_others_a_word(talker: Talker) -> None:
    """To the talker a megabyte is the largest; each of these waits for its last byte."""
    holders = [await Wire.open(talker) for _number in range(LARGEST_BODIES)]
    for wire in holders:
        await wire.send(head(MEGABYTE, kind=UPLOAD) + bytes(MEGABYTE - 1))
    async with asyncio.timeout(10):
        while await post(talker, head(200_000) + bytes(200_000)) != b"HTTP/1.1 503":
            await asyncio.sleep(0.05)
    assert await post(talker, head(200) + bytes(200)) == b"HTTP/1.1 200"
    for wire in holders:
        wire.close()


async def test_strangers_bring_no_large_files(portal: Fortress) -> None:
    """And are told before they have sent them."""
    length, path = 2 * MEGABYTE, "/accounts/login/"
    assert await post(portal, head(length, path, UPLOAD)) == b"HTTP/1.1 413"
    assert await post(portal, head(length, path, UPLOAD, "csrftoken=sessionid")) == b"HTTP/1.1 413"
    session = f"theme=dark; sessionid={portal.people[0][0]}"
    assert await post(portal, head(length, path, UPLOAD, session) + bytes(length)) == b"HTTP/1.1 403"


@pytest.mark.parametrize("is_sent", [LARGE_FORM + 1, 3 * LARGE_FORM])
async def test_who_left_before_the_turn_came_said_nothing(talker: Talker, is_sent: int) -> None:
    """Large forms are understood one after another, and somebody takes long."""
    form = head(is_sent) + b"x" * is_sent
    slow, impatient = await Wire.open(talker, reads_little=True), await Wire.open(talker)
    await slow.send(head(LARGE_FORM + 1, "/talk/") + bytes(LARGE_FORM + 1))
    await slow.reader.readuntil(b"\r\n\r\n")
    await impatient.send(form)
    await asyncio.sleep(0.5)
    impatient.close()
    await asyncio.sleep(0.5)
    slow.close()
    # Its turn is after that of the one that left.
    assert await post(talker, form) == b"HTTP/1.1 200"
    asking = await Wire.open(talker)
    await asking.send(b"GET /heard/ HTTP/1.0\r\nHost: x\r\n\r\n")
    heard = re.findall(rb"\d+", (await asking.answer()).partition(b"\r\n\r\n")[2])
    assert b"%d" % is_sent in heard and b"0" not in heard
