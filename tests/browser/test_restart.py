"""The portal dies or is restarted while an answer arrives. The page comes back by itself, with the text it had."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import SLOW, answer, ask, expect_state, message_id, numbers, text_of, until
from tests.browser.conftest import Visit
from tests.browser.portal import Portal
from tests.browser.watching import Watcher

COUNTED = list(range(1, 31))


@pytest.fixture
def counting(visit: Visit, watcher: Watcher) -> Page:
    """In the middle of an answer; a mark shows whether it is still the same page."""
    watcher.expect_lost_connection()
    page = visit()
    ask(page, "Count to 30", model=SLOW)
    page.evaluate("window.mark = 'the same page'")
    until(lambda: len(numbers(page)) >= 6, "the first numbers")
    return page


def expect_interrupted(page: Page, portal: Portal) -> None:
    expect_state(answer(page), "interrupted")
    expect(answer(page)).to_contain_text("interrupted")
    assert page.evaluate("window.mark") == "the same page"
    assert numbers(page) == COUNTED[: len(numbers(page))]
    assert portal.stored(message_id(answer(page))) == ("interrupted", text_of(answer(page)))


def test_killed_in_the_middle(counting: Page, portal: Portal) -> None:
    page = counting
    a_second_before = len(numbers(page))
    page.wait_for_timeout(1000)
    portal.kill()
    portal.start()
    expect_interrupted(page, portal)
    assert len(numbers(page)) >= a_second_before

    answer(page).get_by_role("button", name="Continue").click()
    expect_state(answer(page), "complete")
    assert numbers(page) == COUNTED
    ask(page, "echo: still here", model="gpt-4")
    expect_state(answer(page), "complete")
    assert text_of(answer(page)).strip() == "still here"
    expect(page.locator(".message")).to_have_count(4)


def test_restarted_in_the_middle(counting: Page, portal: Portal) -> None:
    page = counting
    before = len(numbers(page))
    assert portal.terminate() <= 10
    assert len(numbers(page)) >= before
    portal.start()
    expect_interrupted(page, portal)
    assert len(numbers(page)) >= before
    ask(page, "echo: still here", model="gpt-4")
    expect_state(answer(page), "complete")
    assert text_of(answer(page)).strip() == "still here"
