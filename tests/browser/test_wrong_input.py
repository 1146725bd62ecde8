"""What was typed is never lost: not by a mistake in a field, not by a session that has ended."""

import re

from playwright.sync_api import expect

from tests.browser.chatting import PASSWORD, answer, ask, box, expect_state, questions
from tests.browser.conftest import Visit
from tests.browser.watching import Watcher

OPTIONS = "summary[aria-label='Instructions and parameters']"


def test_a_parameter_out_of_range_is_explained_beside_it(visit: Visit, watcher: Watcher) -> None:
    watcher.expect("status of 422")
    page = visit()
    page.locator(OPTIONS).click()
    page.get_by_label("Temperature").fill("1.5")
    page.get_by_label("max_tokens").fill("0")
    box(page).fill("echo: kept")
    box(page).press("Enter")
    expect(page.get_by_label("Temperature")).to_have_accessible_description(
        re.compile("from 0 to 1|between 0 and 1")
    )
    expect(page.locator(".field--wrong").get_by_role("alert")).to_have_count(2)
    expect(page.get_by_label("Temperature")).to_have_value("1.5")
    expect(box(page)).to_have_value("echo: kept")

    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("max_tokens").fill("")
    page.get_by_role("button", name="Send").click()
    expect_state(answer(page), "complete")
    expect(questions(page)).to_have_text(re.compile("echo: kept"))


def test_a_session_that_ended_while_typing_loses_no_text(visit: Visit, watcher: Watcher) -> None:
    watcher.expect("status of 401|Status Error Code 401")
    page = visit()
    ask(page, "echo: before", model="gpt-4")
    expect_state(answer(page), "complete")
    page.context.clear_cookies(name="sessionid")
    box(page).fill("echo: after")
    box(page).press("Enter")
    expect(page.get_by_text("You are signed out. Reload")).to_be_visible()
    expect(box(page)).to_have_value("echo: after")

    page.reload()
    page.get_by_label("Username or e-mail").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(box(page)).to_have_value("echo: after")
    box(page).press("Enter")
    expect(questions(page)).to_have_count(2)
    expect_state(answer(page), "complete")
