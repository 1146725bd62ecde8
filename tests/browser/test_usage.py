"""What one sees of one's tokens while one writes: the meter, the receipt, the total, and what it could cost."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answer, ask, box, expect_state
from tests.browser.conftest import Visit
from tests.browser.portal import Portal

GRANT = """
from webchat.accounts.models import User
from webchat.allocation.models import Allocation
bob = User.objects.get(username="bob")
for earlier in bob.allocations.filter(revoked_at=None):
    earlier.revoke(actor=None)
Allocation.objects.grant(user=bob, token_limit=100_000)
"""


@pytest.fixture
def granted(portal: Portal) -> None:
    portal.do(GRANT)


def left(page: Page) -> int:
    text = page.locator("#meter .meter__left").inner_text()
    found = re.match(r"([\d,]+) of 100,000 tokens left", text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_an_answer_is_seen_in_the_meter_the_total_and_its_receipt(visit: Visit, granted: None) -> None:
    page = visit("bob")
    before = left(page)
    expect(page.locator(".welcome__left")).to_contain_text("of 100,000 tokens left")
    ask(page, "echo: one")
    expect_state(answer(page), "complete")
    expect(answer(page).locator(".message__facts")).to_contain_text(re.compile(r"\d+ tokens.*s in all"))
    expect(page.locator("#conversation-total")).to_contain_text("tokens")
    expect(page.locator("#meter .meter__left")).not_to_contain_text(f"{before:,} of")
    total = page.locator("#conversation-total").inner_text()
    after = left(page)
    assert after < before
    ask(page, "echo: two")
    expect_state(answer(page), "complete")
    expect(page.locator("#conversation-total")).not_to_have_text(total)
    expect(page.locator("#meter .meter__left")).not_to_contain_text(f"{after:,} of")


def test_several_answers_have_their_price_said_before(visit: Visit, granted: None) -> None:
    page = visit("bob")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "/estimate/" in request.url else None)
    box(page).press_sequentially("echo: three of them", delay=10)
    page.wait_for_timeout(1000)
    assert requests == [], "one short question is not worth a request"
    page.locator("summary[aria-label='Instructions and parameters']").click()
    page.locator("input[name=n]").fill("3")
    cost = page.locator(".composer__cost")
    expect(cost).to_contain_text(re.compile(r"At most [\d,]+ tokens: 3 times to read about"))
    box(page).press_sequentially(", or four", delay=10)
    page.locator("input[name=n]").fill("1")
    expect(cost).to_have_count(0)
    assert 0 < len(requests) <= 4, "not with every key"
    assert not box(page).evaluate("box => box.readOnly"), "one may go on writing"
    box(page).press("Enter")
    expect_state(answer(page), "complete")


def phone(**options: Any) -> dict[str, Any]:
    return {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True, **options}


def test_usage_on_a_phone(visit: Visit, granted: None) -> None:
    page = visit("bob", **phone(color_scheme="dark"))
    page.goto("/usage/")
    expect(page.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="By conversation")).to_be_visible()
    expect(page.get_by_role("link", name="Which conversations it went to")).to_have_count(0)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.get_by_text("As a table").first.tap()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.get_by_role("button", name="Open the sidebar").tap()
    expect(page.locator("#meter")).to_be_visible()


def test_usage_without_scripts(visit: Visit, granted: None) -> None:
    page = visit("bob", java_script_enabled=False)
    page.locator("#meter a").click()
    expect(page).to_have_url(re.compile("/usage/$"))
    page.get_by_role("link", name="Last 12 months").click()
    expect(page.get_by_role("heading", name="Tokens by month")).to_have_count(0)
    expect(page.get_by_role("img", name="Tokens by month")).to_be_visible()
    page.get_by_role("link", name="Which conversations it went to").click()
    expect(page.get_by_role("heading", name="By conversation")).to_be_visible()
    page.get_by_role("link", name="Back to your usage").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="All calls as CSV").click()
    assert download.value.suggested_filename.startswith("calls-")
