"""Everything works as pages and forms too, where no script runs."""

from playwright.sync_api import expect

from tests.browser.chatting import CONVERSATION, SLOW, answer, box, expect_state, text_of
from tests.browser.conftest import Visit


def test_a_whole_conversation_without_scripts(visit: Visit) -> None:
    page = visit("alice", java_script_enabled=False)
    box(page).fill("Count to 20")
    page.get_by_label("Model").select_option(SLOW)
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(CONVERSATION)
    expect(answer(page)).to_be_visible()
    assert answer(page).get_attribute("data-state") in ("pending", "streaming")
    # The page asks again by itself for as long as the answer is arriving.
    expect_state(answer(page), "complete")
    assert text_of(answer(page)).strip().endswith("19, 20")
    conversation = page.url

    menu = page.locator(".conversation-link:has([aria-current=page])")
    menu.get_by_role("button", name="Options for").click()
    menu.get_by_label("Title").fill("Counted by hand")
    menu.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Counted by hand")

    menu.get_by_role("button", name="Options for").click()
    menu.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Counted by hand” is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(conversation)
    expect_state(answer(page), "complete")
