"""A first conversation: signing in, asking with Enter, watching, asking on, reloading, signing out."""

from playwright.sync_api import expect

from tests.browser.chatting import SLOW, answer, ask, everything_said, expect_state, sign_in


def test_a_conversation_from_signing_in_to_signing_out(new_browser) -> None:
    page = new_browser().new_page()
    sign_in(page, "bob")
    ask(page, "Count to 10", model=SLOW)
    expect_state(answer(page), "streaming")
    expect_state(answer(page), "complete")
    ask(page, "Show me all of Markdown’s formatting", model="gpt-4")
    expect_state(answer(page), "complete")
    arrived = everything_said(page)
    assert len(arrived) == 4
    page.reload()
    assert everything_said(page) == arrived
    page.get_by_role("button", name="Bob").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
