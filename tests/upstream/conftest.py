import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.upstream.scripted import SECRET, Upstream
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.pools import close_pools


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    fake = Upstream()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield fake
    await close_pools()
    server.close()


@pytest.fixture
def client(upstream: Upstream) -> UpstreamClient:
    return UpstreamClient(upstream.url, SECRET)


@pytest.fixture
def hasty(upstream: Upstream) -> UpstreamClient:
    """A client of little patience."""
    deadlines = Deadlines(connect=1, first_content=0.2, idle=0.2, total=0.8, reply=0.2)
    return UpstreamClient(upstream.url, SECRET, deadlines=deadlines)
