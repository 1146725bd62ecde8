"""Nothing that was said is lost: stopped answers are kept, others stand beside them, edited questions too."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.chatting import (
    SLOW,
    answer,
    ask,
    box,
    expect_state,
    message_id,
    numbers,
    questions,
    text_of,
    until,
)
from tests.browser.conftest import Visit
from tests.browser.portal import Portal


def expect_version(message: Locator, number: int, count: int) -> None:
    versions = message.get_by_role("group", name="Versions")
    expect(versions).to_have_text(re.compile(rf"^\s*{number}\D+{count}\s*$"))


def expect_stopped(page: Page, portal: Portal) -> None:
    expect_state(answer(page), "stopped")
    expect(answer(page)).to_contain_text("You stopped this answer.")
    assert numbers(page) == list(range(1, len(numbers(page)) + 1))
    assert portal.stored(message_id(answer(page))) == ("stopped", text_of(answer(page)))


def test_stop_with_the_button_and_with_escape(visit: Visit, portal: Portal) -> None:
    page = visit()
    ask(page, "Count to 200", model=SLOW)
    until(lambda: len(numbers(page)) >= 3, "the first numbers")
    page.locator("#composer").get_by_role("button", name="Stop").click()
    expect_stopped(page, portal)
    first = message_id(answer(page))

    answer(page).get_by_role("button", name="Try again").click()
    expect(page.locator(f"#message-{first}")).to_have_count(0)
    until(lambda: len(numbers(page)) >= 3, "the first numbers again")
    box(page).press("Escape")
    expect_stopped(page, portal)
    assert message_id(answer(page)) != first
    expect_version(answer(page), 2, 2)


def test_answers_stand_beside_each_other(visit: Visit) -> None:
    page = visit()
    ask(page, "What is 6 × 7?", model="gpt-4")
    expect_state(answer(page), "complete")
    first = message_id(answer(page))
    answer(page).get_by_role("button", name="Try again").click()
    expect(page.locator(f"#message-{first}")).to_have_count(0)
    expect_state(answer(page), "complete")
    expect_version(answer(page), 2, 2)
    second = message_id(answer(page))
    answer(page).get_by_role("button", name="Previous version").click()
    expect(page.locator(f"#message-{first}")).to_be_visible()
    expect(page.locator(f"#message-{second}")).to_have_count(0)
    expect_version(answer(page), 1, 2)
    answer(page).get_by_role("button", name="Next version").click()
    expect(page.locator(f"#message-{second}")).to_be_visible()
    expect_version(answer(page), 2, 2)
    expect(page.locator(".message")).to_have_count(2)


def test_an_edited_question_gets_its_own_answer(visit: Visit) -> None:
    page = visit()
    ask(page, "echo: the first way", model="gpt-4")
    expect_state(answer(page), "complete")
    ask(page, "echo: and on")
    expect_state(answer(page), "complete")
    question = questions(page).first
    question.hover()
    question.locator("summary[aria-label=Edit]").click()
    question.get_by_role("textbox", name="Your message").fill("echo: another way")
    question.get_by_role("button", name="Ask again").click()
    expect(questions(page)).to_have_count(1)
    expect(questions(page).first).to_contain_text("echo: another way")
    expect_version(questions(page).first, 2, 2)
    expect_state(answer(page), "complete")
    assert text_of(answer(page)).strip() == "another way"

    questions(page).first.get_by_role("button", name="Previous version").click()
    expect(questions(page)).to_have_count(2)
    assert text_of(answer(page)).strip() == "and on"
