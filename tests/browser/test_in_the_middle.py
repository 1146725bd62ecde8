"""An answer is on its way, and the page goes: reloaded, left, cut off. Nothing is missing afterwards, nothing doubled."""

from playwright.sync_api import Page, expect

from tests.browser.chatting import SLOW, answer, ask, expect_state, message_id, numbers, text_of, until
from tests.browser.portal import Portal

COUNT = "Count to 35"
COUNTED = list(range(1, 36))


def begin_counting(page: Page) -> None:
    ask(page, COUNT, model=SLOW)
    until(lambda: len(numbers(page)) >= 5, "the first numbers")


def expect_everything(page: Page, portal: Portal) -> None:
    expect_state(answer(page), "complete")
    assert numbers(page) == COUNTED
    assert portal.stored(message_id(answer(page))) == ("complete", text_of(answer(page)))
    expect(page.locator(".message")).to_have_count(2)


def test_reloading_shows_what_there_was_and_goes_on(visit, portal: Portal) -> None:
    page = visit()
    begin_counting(page)
    before = len(numbers(page))
    page.reload()
    assert len(numbers(page)) >= before
    assert numbers(page) == COUNTED[: len(numbers(page))]
    expect_everything(page, portal)


def test_a_second_tab_and_one_that_left_and_came_back_show_the_same(visit, portal: Portal) -> None:
    page = visit()
    begin_counting(page)
    second = page.context.new_page()
    second.goto(page.url)
    page.goto("/conversations/")
    until(lambda: len(numbers(second)) >= 15, "the second tab goes on")
    page.go_back()
    expect(answer(page)).to_have_attribute("data-state", "streaming")
    expect_everything(second, portal)
    expect_everything(page, portal)


def test_offline_for_a_while(visit, portal: Portal, watcher) -> None:
    watcher.expect("ERR_INTERNET_DISCONNECTED")
    page = visit()
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket))
    begin_counting(page)
    page.context.set_offline(True)
    expect(page.get_by_text("The connection is gone")).to_be_visible()
    print("closed", [s.is_closed() for s in sockets], len(numbers(page)))
    before = len(numbers(page))
    page.wait_for_timeout(2000)
    print("closed", [s.is_closed() for s in sockets], before, len(numbers(page)))
    page.context.set_offline(False)
    expect_everything(page, portal)
