"""An admin looks how it stands with somebody, asks what if, grants, corrects and revokes: all from one page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chatting import ask
from tests.browser.conftest import Visit


@pytest.mark.parametrize(
    "options",
    [{}, {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}],
    ids=["desk", "phone"],
)
def test_from_the_list_of_people_to_a_grant_and_back(visit: Visit, options: dict[str, object]) -> None:
    asking = visit("bob")
    ask(asking, "How much is left for me?")
    expect(asking.locator(".message[data-state=complete]").last).to_be_visible()

    page = visit("admin", **options)
    page.goto("/admin/accounts/user/")
    page.get_by_role("row").filter(has_text="bob@example.org").get_by_role("link", name="Open").click()
    expect(page.get_by_role("region", name="Last calls")).to_contain_text("complete")

    page.get_by_role("link", name="Grant", exact=False).first.click()
    page.get_by_label("Tokens:", exact=True).fill("1")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="What if?").click()
    expect(popup.value.get_by_role("status")).to_contain_text("would have been stopped.")
    popup.value.close()
    # What was typed stands in the form still.
    page.get_by_label("Tokens:", exact=True).fill("5000")
    page.get_by_label("reason:", exact=True).fill("He asked")
    page.get_by_role("button", name="Save", exact=True).click()

    page.goto("/admin/accounts/user/")
    page.get_by_role("row").filter(has_text="bob@example.org").get_by_role("link", name="Open").click()
    allocations = page.get_by_role("region", name="Allocations").first
    expect(allocations).to_contain_text("5,000 of 5,000")
    allocations.get_by_role("link", name="Correct").first.click()
    page.get_by_label("Tokens", exact=True).fill("1200")
    page.get_by_label("Reason").fill("Spent elsewhere")
    page.get_by_role("button", name="Correct what is spent").click()
    expect(allocations).to_contain_text("3,800 of 5,000")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    allocations.get_by_role("link", name="Revoke").first.click()
    page.get_by_label("Reason").fill("Over")
    page.get_by_role("button", name="Revoke an allocation").click()
    expect(allocations).to_contain_text("revoked")
    page.get_by_role("link", name="Ledger").first.click()
    for said in ("He asked", "Spent elsewhere", "Over"):
        expect(page.get_by_role("cell", name=said, exact=True).first).to_be_attached()
    page.goto("/admin/dashboard/?period=day")
    expect(page.get_by_role("region", name="People", exact=True).first).to_contain_text(
        re.compile(r"bob\s+\d")
    )
