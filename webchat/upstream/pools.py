"""Which connections stay open? Those of each event loop, in several small pools, for everybody's calls."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from .exchange import Reply
from .pacing import PacedBackend

# For every request httpcore looks at each connection of its pool, and at each again for those that rest: with
# hundreds in one pool that is half of all the work (encode/httpcore#1035). So there are several small ones.
POOL_SIZE = 16


class _PacedTransport(httpx.AsyncHTTPTransport):
    def __init__(self) -> None:
        # What httpx makes by itself, with a network that is read at our pace.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=POOL_SIZE,
            keepalive_expiry=60,
            network_backend=PacedBackend(),
        )


class Pool:
    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.busy = 0
        self._http = httpx.AsyncClient(
            transport=transport or _PacedTransport(),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "webchat"},
            # It serves everyone: a cookie that one person's answer set must not go out with the next one's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    @asynccontextmanager
    async def stream(self, method: str, url: str, **options: Any) -> AsyncIterator[Reply]:
        self.busy += 1
        try:
            async with self._http.stream(method, url, **options) as reply:
                yield reply
        finally:
            self.busy -= 1

    async def close(self) -> None:
        await self._http.aclose()


@cache
def _tls() -> ssl.SSLContext:
    # Costs 50 ms, so once per process. The environment may name a company's own authority (SSL_CERT_FILE).
    return httpx.create_ssl_context(trust_env=True)


@dataclass
class Connections:
    """Of one event loop. The first pool with room is taken, so that open connections are used again."""

    pools: list[Pool] = field(default_factory=list)
    slots: dict[tuple[str, int], asyncio.Semaphore] = field(default_factory=dict)

    def pool(self) -> Pool:
        for pool in self.pools:
            if pool.busy < POOL_SIZE:
                return pool
        self.pools.append(Pool())
        return self.pools[-1]


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
    connections = _connections.pop(asyncio.get_running_loop(), None)
    for pool in connections.pools if connections else []:
        await pool.close()
