"""Which connections stay open? Those of each event loop, for everybody's calls; and how httpx comes to use them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from .connection import Connection, NoReply

# Upstreams and what lies before them close connections that rest for a minute or more.
IDLE_SECONDS = 60
Origin = tuple[str, str, int]


class Network(httpx.AsyncBaseTransport):
    """In place of httpx's own, which takes four times as much of the loop for each read, and for each request."""

    def __init__(self) -> None:
        # With what closes each when it has rested for long.
        self._idle: dict[Origin, dict[Connection, asyncio.TimerHandle]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, timeouts = request.url, request.extensions["timeout"]
        origin = (url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80))
        connection = self._take(origin) or await _open(origin, timeouts["connect"])
        body = Body(self, origin, connection)
        try:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            await connection.ask(_head(request), request.stream, timeouts["write"])
            await connection.read_head()
        except BaseException as error:
            await body.aclose()
            raise _named(error) from None
        return httpx.Response(connection.status, headers=connection.headers, stream=body)

    def _take(self, origin: Origin) -> Connection | None:
        resting = self._idle.get(origin, {})
        while resting:
            connection, timer = resting.popitem()
            timer.cancel()
            if connection.may_stay:
                return connection
        return None

    def give_back(self, origin: Origin, connection: Connection) -> None:
        if connection.may_stay:
            timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._let_go, origin, connection)
            self._idle.setdefault(origin, {})[connection] = timer
        else:
            connection.close()

    def _let_go(self, origin: Origin, connection: Connection) -> None:
        del self._idle[origin][connection]
        connection.close()

    async def aclose(self) -> None:
        for resting in self._idle.values():
            for connection, timer in resting.items():
                timer.cancel()
                connection.close()
        self._idle.clear()


class Body(httpx.AsyncByteStream):
    """Of a reply. Left before its end, it takes the connection along."""

    def __init__(self, network: Network, origin: Origin, connection: Connection) -> None:
        self._network, self._origin, self._connection = network, origin, connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while data := await self._connection.read():
                yield data
        except (NoReply, OSError) as error:
            raise _named(error) from None

    async def aclose(self) -> None:
        self._network.give_back(self._origin, self._connection)


async def _open(origin: Origin, seconds: float) -> Connection:
    scheme, host, port = origin
    try:
        async with asyncio.timeout(seconds):
            return await Connection.open(host, port, _tls() if scheme == "https" else None)
    except TimeoutError:
        raise httpx.ConnectTimeout("") from None
    except OSError:
        raise httpx.ConnectError("") from None


def _head(request: httpx.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in request.headers.raw]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise httpx.LocalProtocolError("")
    return b"\r\n".join([*lines, b"", b""])


def _named(error: BaseException) -> BaseException:
    """As httpx calls it, and without a word: its text may hold the secret."""
    if isinstance(error, NoReply):
        return httpx.RemoteProtocolError("")
    return httpx.ReadError("") if isinstance(error, OSError) else error


@cache
def _tls() -> ssl.SSLContext:
    # Costs 50 ms, so once per process. The environment may name a company's own authority (SSL_CERT_FILE).
    context = httpx.create_ssl_context(trust_env=True)
    context.set_alpn_protocols(["http/1.1"])
    return context


def new_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "webchat"},
        # It serves everyone: a cookie that one person's answer set must not go out with the next one's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


@dataclass
class Connections:
    """Of one event loop."""

    http: httpx.AsyncClient = field(default_factory=lambda: new_client(Network()))
    slots: dict[tuple[str, int], asyncio.Semaphore] = field(default_factory=dict)


_connections: dict[asyncio.AbstractEventLoop, Connections] = {}


def here() -> Connections:
    loop = asyncio.get_running_loop()
    if loop not in _connections:
        for other in [other for other in _connections if other.is_closed()]:
            del _connections[other]
        _connections[loop] = Connections()
    return _connections[loop]


async def close_pools() -> None:
    """Closes the connections of the running event loop."""
    if connections := _connections.pop(asyncio.get_running_loop(), None):
        await connections.http.aclose()
