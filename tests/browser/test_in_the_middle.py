"""An answer is on its way, and the page goes: reloaded, left, cut off. Then nothing is missing, nothing doubled."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import SLOW, answer, ask, expect_state, message_id, numbers, text_of, until
from tests.browser.conftest import Visit
from tests.browser.portal import Portal
from tests.browser.watching import Watcher
from tests.browser.wire import Wire

QUESTION = "Count to 25"
COUNTED = list(range(1, 26))


def begin_counting(page: Page) -> None:
    ask(page, QUESTION, model=SLOW)
    until(lambda: len(numbers(page)) >= 5, "the first numbers")


def expect_everything(page: Page, portal: Portal) -> None:
    expect_state(answer(page), "complete")
    assert numbers(page) == COUNTED
    assert portal.stored(message_id(answer(page))) == ("complete", text_of(answer(page)))
    expect(page.locator(".message")).to_have_count(2)


def test_reloading_shows_what_there_was_and_goes_on(visit: Visit, portal: Portal) -> None:
    page = visit()
    begin_counting(page)
    before = len(numbers(page))
    page.reload()
    shown = numbers(page)
    assert len(shown) >= before
    assert shown == COUNTED[: len(shown)]
    expect_everything(page, portal)


def test_a_second_tab_and_one_that_left_and_came_back_show_the_same(visit: Visit, portal: Portal) -> None:
    page = visit()
    begin_counting(page)
    second = page.context.new_page()
    second.goto(page.url)
    page.goto("/conversations/")
    before = len(numbers(second))
    until(lambda: len(numbers(second)) >= before + 5, "the second tab goes on")
    page.go_back()
    expect_everything(second, portal)
    expect_everything(page, portal)


def test_a_connection_that_stalls_is_caught_up_with(visit: Visit, portal: Portal, watcher: Watcher) -> None:
    watcher.expect("ERR_INTERNET_DISCONNECTED")
    page = visit()
    begin_counting(page)
    page.context.set_offline(True)
    expect(page.get_by_text("The connection is gone")).to_be_visible()
    stalled_at = len(numbers(page))
    page.wait_for_timeout(1000)
    assert len(numbers(page)) == stalled_at, "offline, nothing may come through"
    page.context.set_offline(False)
    expect(page.get_by_text("The connection is gone")).to_be_hidden()
    expect_everything(page, portal)


@pytest.fixture
def wire(portal: Portal):
    with Wire.to(portal.port) as wire:
        yield wire


def test_a_connection_that_is_cut_comes_back_by_itself(
    visit: Visit, portal: Portal, watcher: Watcher, wire: Wire
) -> None:
    watcher.expect_lost_connection()
    page = visit(proxy=wire.proxy)
    begin_counting(page)
    wire.cut()
    expect(page.get_by_text("The connection is gone")).to_be_visible()
    cut_at = len(numbers(page))
    wire.mend()
    until(lambda: len(numbers(page)) > cut_at, "the answer goes on")
    expect(page.get_by_text("The connection is gone")).to_be_hidden()
    expect_everything(page, portal)
