"""One portal in its own process, one Chromium, and pages of them that have to be quiet."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.chatting import sign_in
from tests.browser.portal import Portal
from tests.browser.watching import Watcher
from tests.services import require
from webchat.demo.server import DemoServer

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Where to leave a screenshot of the end of each story; nowhere when it is not set.
SHOTS = os.environ.get("WEBCHAT_SHOTS")

Visit = Callable[..., Page]


# Not pytest-playwright's own `browser`, which lives until all tests have run: as long as it does, its event
# loop occupies this thread, and no test of another package could run one.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    require(CHROMIUM, "Install Debian's chromium to run the browser tests")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    # Playwright's greenlets end here, and not while the interpreter is compiling some later module.
    gc.collect()


@pytest.fixture(scope="package")
def demo() -> Iterator[DemoServer]:
    """Brisk; whoever wants to see the middle of an answer asks its slow model."""
    with DemoServer.in_thread(pace=0.003) as server:
        yield server


@pytest.fixture(scope="package")
def _portal(
    chromium: Browser, demo: DemoServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    portal = Portal(tmp_path_factory.mktemp("portal"), demo.url)
    portal.prepare()
    portal.start()
    yield portal
    portal.terminate()


@pytest.fixture
def portal(_portal: Portal) -> Portal:
    """Running, whatever the story before did to it."""
    if not _portal.is_running:
        _portal.start()
    return _portal


@pytest.fixture(scope="package")
def _cookies() -> dict[str, Any]:
    """Of those who have signed in already: sessions outlive a restart, and sign-ins are rate limited."""
    return {}


@pytest.fixture
def watcher(portal: Portal) -> Watcher:
    return Watcher(portal.url)


@pytest.fixture
def new_browser(
    chromium: Browser, portal: Portal, watcher: Watcher, request: pytest.FixtureRequest
) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of one's own, with nobody signed in. At the end it must have been quiet."""
    contexts: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=portal.url, **{"locale": "en-GB"} | options)
        watcher.watch(context)
        contexts.append(context)
        return context

    yield open_context
    complaints = watcher.complaints
    for number, page in enumerate([page for context in contexts for page in context.pages]):
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{request.node.name}-{number}.png")
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def visit(new_browser: Callable[..., BrowserContext], _cookies: dict[str, Any]) -> Visit:
    """`visit("alice")`: the empty conversation page in a browser in which she is signed in."""

    def open_page(person: str = "alice", **options: Any) -> Page:
        context = new_browser(**options)
        page = context.new_page()
        if person in _cookies:
            context.add_cookies(_cookies[person])
            page.goto("/conversations/")
        else:
            sign_in(page, person)
            _cookies[person] = context.cookies()
        return page

    return open_page
