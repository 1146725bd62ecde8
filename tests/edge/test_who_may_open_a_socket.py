"""The handshake of a socket: from our own pages only, under our own name only, whatever server brings it."""

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings

from tests.edge.fortress import Fortress
from tests.edge.wire import Socket
from webchat.asgi import application

PATH = "/ws/conversations/00000000-0000-0000-0000-000000000000/"
OURS = {"origin": settings.SITE_URL, "host": "testserver"}
STRANGE = {
    "no origin": {"origin": ""},
    "null": {"origin": "null"},
    "another site": {"origin": "https://evil.example"},
    "another scheme": {"origin": "https://testserver"},
    "no web page": {"origin": "file://"},
    "another port": {"origin": "http://testserver:8000"},
    "a name that begins like ours": {"origin": "http://testserver.evil.example"},
    "a name that ends like ours": {"origin": "http://eviltestserver"},
    "no host": {"host": ""},
    "another host": {"host": "evil.example"},
    "another host and a port": {"host": "evil.example:80"},
    "a host that is none": {"host": "testserver/../evil"},
}


async def is_accepted(**headers: str) -> bool:
    sent = [(name.encode(), value.encode()) for name, value in (OURS | headers).items() if value]
    connection = WebsocketCommunicator(application, PATH, headers=sent)
    accepted, _protocol = await connection.connect(timeout=5)
    await connection.disconnect()
    return accepted


# Channels looks after connections to the database even for who is refused.
@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.django_db(transaction=True)
async def test_refused(strange: str) -> None:
    assert not await is_accepted(**STRANGE[strange])


@pytest.mark.parametrize("host", ["testserver", "TestServer", "testserver:8443", "127.0.0.1:8000"])
@pytest.mark.django_db(transaction=True)
async def test_our_own_page_may(host: str) -> None:
    assert await is_accepted(host=host)


@pytest.mark.django_db(transaction=True)
async def test_two_hosts_are_none() -> None:
    headers = [(b"origin", settings.SITE_URL.encode()), (b"host", b"testserver"), (b"host", b"testserver")]
    accepted, _protocol = await WebsocketCommunicator(application, PATH, headers=headers).connect(timeout=5)
    assert not accepted


@pytest.mark.parametrize(
    "odd", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}]
)
async def test_on_the_wire_it_is_a_403(portal: Fortress, odd: dict[str, str]) -> None:
    socket = await Socket.open(portal)
    assert await socket.shake_hands(portal, PATH, **odd) == "HTTP/1.1 403 Access denied"


async def test_an_unknown_path_is_told_so_once(portal: Fortress) -> None:
    socket = await Socket.open(portal)
    assert await socket.shake_hands(portal, "/ws/elsewhere/") == "HTTP/1.1 101 Switching Protocols"
    assert await socket.live() == 4404
    assert "Traceback" not in portal.log.read_text()
