"""One database with the demo team in it, and an upstream, for the portals of several tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser.portal import Portal
from webchat.demo import DemoServer

NewPortal = Callable[[str], Portal]


@pytest.fixture(scope="package")
def new_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewPortal]:
    """`new_portal("uvicorn")`: not yet started. Its deadline for the next word is short."""
    folder = tmp_path_factory.mktemp("several")
    with DemoServer.in_thread(pace=0.05) as upstream:
        first = Portal(folder, upstream.url, UPSTREAM_IDLE_SECONDS="2")
        first.prepare()

        def another(server: str) -> Portal:
            portal = Portal(folder, upstream.url, server=server)
            portal.share(first)
            return portal

        yield another
