"""How many may be connected: in all, and from one address."""

import asyncio
import resource

import pytest

from tests.edge.fortress import Talker
from tests.edge.talker import LIMIT
from tests.edge.wire import Socket, Wire, open_socket
from webchat.edge.crowd import OTHER_FILES, Crowd, raise_file_limit


def test_one_address_does_not_take_all() -> None:
    crowd = Crowd(most=10, most_of_one=3)
    assert [crowd.enter("10.0.0.1") for _number in range(5)] == [True, True, True, False, False]
    assert crowd.enter("10.0.0.2")
    crowd.leave("10.0.0.1")
    assert crowd.enter("10.0.0.1") and not crowd.enter("10.0.0.1")


def test_all_together_are_not_too_many() -> None:
    crowd = Crowd(most=3, most_of_one=0)
    assert [crowd.enter(f"10.0.0.{number}") for number in range(5)] == [True, True, True, False, False]
    crowd.leave("10.0.0.2")
    assert crowd.enter("10.0.0.9")


def test_behind_a_proxy_an_address_is_no_limit() -> None:
    crowd = Crowd(most=100, most_of_one=0)
    assert all(crowd.enter("127.0.0.1") for _number in range(100))


@pytest.mark.parametrize(
    ("address", "neighbour", "are_one"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
    ],
)
def test_a_network_of_ipv6_is_one_subscriber(address: str, neighbour: str, are_one: bool) -> None:
    crowd = Crowd(most=10, most_of_one=1)
    assert crowd.enter(address)
    assert crowd.enter(neighbour) is not are_one


def test_there_are_files_for_all_of_them() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_file_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
        crowd = Crowd(most=10**9, most_of_one=0)
        assert crowd._most == before[1] - OTHER_FILES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_who_comes_when_it_is_full_is_turned_away_at_once(talker: Talker) -> None:
    async with asyncio.timeout(20):
        for _again in range(2):
            sockets = [await open_socket(talker, ("", "/")) for _number in range(LIMIT // 2)]
            wires = [await Wire.open(talker) for _number in range(LIMIT // 2)]
            turned_away = await Wire.open(talker)
            assert await turned_away.answer() == b""
            # A socket was a request before, and is one connection all the same.
            for one in (*sockets, *wires):
                one.close()
            while not await is_let_in(talker):
                await asyncio.sleep(0.05)


async def is_let_in(talker: Talker) -> bool:
    socket = await Socket.open(talker)
    try:
        return "101" in await socket.shake_hands(talker, "/")
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        socket.close()
