"""What people do on the pages: sign in, write, read."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

SLOW = "demo-slow"
PASSWORD = "webchat-demo"
CONVERSATION = re.compile(r"/conversations/[0-9a-f-]{36}/$")


def sign_in(page: Page, person: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username or e-mail").fill(person)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(box(page)).to_be_visible()


def box(page: Page) -> Locator:
    """The box one writes in."""
    return page.locator("#composer textarea[name=text]")


def ask(page: Page, text: str, model: str = "") -> None:
    """With Enter; returns when the question stands on the page."""
    asked = questions(page).count()
    if model:
        page.get_by_label("Model").select_option(model)
    box(page).fill(text)
    box(page).press("Enter")
    expect(questions(page)).to_have_count(asked + 1)


def questions(page: Page) -> Locator:
    return page.locator(".message[data-role=user]")


def answer(page: Page) -> Locator:
    """The newest answer."""
    return page.locator(".message[data-role=assistant]").last


def text_of(message: Locator) -> str:
    return message.locator(".message-body").inner_text()


def message_id(message: Locator) -> str:
    return (message.get_attribute("id") or "").removeprefix("message-")


def expect_state(message: Locator, state: str) -> None:
    expect(message).to_have_attribute("data-state", state, timeout=30_000)


def everything_said(page: Page) -> list[str]:
    return page.locator(".message .message-body").all_inner_texts()


def until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """The pages' policy forbids what Playwright's own wait_for_function does."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"never happened: {what}"
        time.sleep(0.1)


def numbers(page: Page) -> list[int]:
    """What has been counted so far, in the newest answer."""
    return [int(number) for number in re.findall(r"\d+", text_of(answer(page)))]
