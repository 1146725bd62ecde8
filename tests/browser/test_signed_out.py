"""Somebody signs out in one tab while an answer arrives in another: that one says so, and keeps what was typed."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.chatting import SLOW, answer, ask, box, message_id, numbers, sign_in, until
from tests.browser.portal import Portal


def test_signing_out_in_another_tab(new_browser: Callable[..., BrowserContext], portal: Portal) -> None:
    page = new_browser().new_page()
    sign_in(page, "bob")
    ask(page, "Count to 80", model=SLOW)
    until(lambda: len(numbers(page)) >= 5, "the first numbers")
    box(page).fill("A thought of mine")
    asked = message_id(answer(page))

    other = page.context.new_page()
    other.goto("/accounts/logout/")
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out; what you typed is kept.")).to_be_visible()
    until(lambda: portal.stored(asked)[0] == "interrupted", "the answer stops")
    shown = len(numbers(page))
    page.wait_for_timeout(500)
    assert len(numbers(page)) == shown, "nothing is delivered any more"
    expect(box(page)).to_have_value("A thought of mine")

    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Username or e-mail").fill("bob")
    page.get_by_label("Password", exact=True).fill("webchat-demo")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(answer(page)).to_contain_text("This answer ended when the browser that had asked was signed out.")
    assert len(numbers(page)) >= shown
    expect(box(page)).to_have_value("A thought of mine")
