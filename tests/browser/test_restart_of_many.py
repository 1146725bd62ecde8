"""A restart is boring: fifty answers are arriving, and a moment later fifty pages show what they should."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import SLOW, answer, ask, box, expect_state, message_id, numbers, text_of, until
from tests.browser.conftest import Visit
from tests.browser.crowd import Crowd
from tests.browser.portal import Portal
from tests.browser.watching import Watcher

QUESTION = "count to 400"
COUNTED = ", ".join(map(str, range(1, 401)))
# How many pages without and with a browser; under the other server fewer, since they take their time.
CROWDS = {"serve": (47, 3), "uvicorn": (20, 1)}
PEOPLE = ["alice", "bob", "admin"]
BACK_SECONDS = 15
TOGETHER_SECONDS = 0.3
NOTE_SOCKETS = """() => {
  window.cameBack = [];
  window.wentAway = [];
  document.addEventListener("htmx:wsOpen", () => window.cameBack.push(Date.now() / 1000));
  document.addEventListener("htmx:wsClose", ({ detail }) => window.wentAway.push(detail.event.code));
}"""


@pytest.fixture(params=["serve", "uvicorn"])
def server(portal: Portal, request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param != portal.server:
        portal.terminate()
        portal.server = request.param
        portal.start()
    yield request.param
    portal.terminate()
    portal.server = "serve"


@pytest.fixture
def crowd(server: str, portal: Portal) -> Iterator[Crowd]:
    with Crowd.of(portal) as crowd:
        yield crowd


@pytest.fixture
def pages(server: str, visit: Visit, watcher: Watcher) -> list[Page]:
    watcher.expect_lost_connection()
    watcher.expect("htmx:(sendError|afterRequest)|status of 503|Status Error Code 503")
    return [page_that_asks(visit) for _ in range(CROWDS[server][1])]


def page_that_asks(visit: Visit) -> Page:
    page = visit()
    ask(page, QUESTION, model=SLOW)
    page.evaluate(NOTE_SOCKETS)
    return page


def test_fifty_answers_and_a_restart(
    server: str, portal: Portal, pages: list[Page], crowd: Crowd, visit: Visit
) -> None:
    idle = visit()
    ask(idle, "echo: nothing is running here", model="gpt-4")
    crowd.ask(CROWDS[server][0], PEOPLE, QUESTION, SLOW)
    until(lambda: all(len(visitor.text) > 5 for visitor in crowd.visitors), "all answers have begun")
    shown = [len(visitor.text) for visitor in crowd.visitors]
    counted = [len(numbers(page)) for page in pages]

    assert portal.terminate() <= 10
    meanwhile = f"echo: asked while there was no {server}"
    box(idle).fill(meanwhile)
    box(idle).press("Enter")
    expect(idle.get_by_text("is sent by itself")).to_be_visible()
    assert {visitor.closed[0] for visitor in crowd.visitors} == {1012 if server == "uvicorn" else 4012}
    assert {page.evaluate("wentAway[0]") for page in pages} == {1012 if server == "uvicorn" else 4012}

    portal.start()
    began = time.time()
    moments = when_back(pages, crowd)
    assert max(moments) - began <= BACK_SECONDS
    assert most_together(moments) <= len(moments) / 2

    for page, before in zip(pages, counted, strict=True):
        expect_well(page, portal, before)
    for visitor, before in zip(crowd.visitors, shown, strict=True):
        assert visitor.state in ("interrupted", "complete")
        assert len(visitor.text) >= before and COUNTED.startswith(visitor.text)
    for visitor in crowd.visitors[::10]:
        assert visitor.page.picture() == crowd.reload(visitor).picture()
    until(lambda: portal.count_questions(meanwhile) == 1, "what was asked meanwhile is sent")
    expect(answer(idle)).to_contain_text("asked while there was no")
    expect(idle.locator(".message")).to_have_count(4)


def test_pages_take_different_times_to_come_back(visit: Visit) -> None:
    page = visit()
    ask(page, "echo: here", model="gpt-4")
    milliseconds = page.evaluate(
        "[...Array(200).keys()].map((number) => htmx.config.wsReconnectDelay(number % 10))"
    )
    pauses = [pause / 1000 for pause in milliseconds]
    assert max(pauses) <= BACK_SECONDS / 2
    assert most_together(pauses) <= len(pauses) / 4


def when_back(pages: list[Page], crowd: Crowd) -> list[float]:
    """The moments at which each page had a socket again."""
    until(lambda: all(len(one.opened) > 1 for one in crowd.visitors), "all are back", 2 * BACK_SECONDS)
    until(lambda: all(page.evaluate("cameBack.length") for page in pages), "all are back", 2 * BACK_SECONDS)
    return [one.opened[1] for one in crowd.visitors] + [page.evaluate("cameBack[0]") for page in pages]


def most_together(moments: list[float]) -> int:
    """How many came back within the same short time."""
    return max(sum(0 <= other - one < TOGETHER_SECONDS for other in moments) for one in moments)


def expect_well(page: Page, portal: Portal, before: int) -> None:
    expect_state(answer(page), "interrupted")
    shown = numbers(page)
    assert len(shown) >= before and shown == list(range(1, len(shown) + 1))
    assert portal.stored(message_id(answer(page))) == ("interrupted", text_of(answer(page)))
    expect(page.get_by_text("The connection is gone")).to_be_hidden()
