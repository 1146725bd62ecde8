"""An owner reads what Alice wrote; she is told, and the pages of both keep their policy."""

import re

from playwright.sync_api import expect

from tests.browser.chatting import answer, ask, expect_state
from tests.browser.conftest import Visit
from tests.browser.watching import Watcher


def test_whose_conversations_are_read_is_told(visit: Visit, watcher: Watcher) -> None:
    alice, owner = visit("alice"), visit("admin")
    ask(alice, "What is 21 + 21?")
    expect_state(answer(alice), "complete")

    owner.goto("/admin/accounts/user/")
    owner.get_by_role("link", name="alice", exact=True).click()
    owner.get_by_role("link", name="Read conversations…").click()
    owner.get_by_label("Reason").fill("A complaint about what was written")
    owner.get_by_role("button", name="Break the glass").click()
    owner.locator("#changelist").get_by_role("link").first.click()
    expect(owner.locator(".reading")).to_contain_text("What is 21 + 21?")
    read = owner.url

    alice.reload()
    notice = alice.locator(".notices")
    expect(notice).to_contain_text("A complaint about what was written")
    expect(notice).to_be_in_viewport()
    notice.get_by_role("button", name="I have read this").click()
    expect(alice.locator(".notices")).to_have_count(0)
    alice.goto("/accounts/")
    expect(alice.locator("#reading")).to_contain_text(re.compile(r"Conversations opened\s*1"))

    owner.get_by_role("button", name="Close now").click()
    expect(owner.get_by_text("Closed. Nothing more can be read.")).to_be_visible()
    watcher.expect("403")
    owner.goto(read)
    expect(owner.get_by_role("heading", name="The time for reading is over")).to_be_visible()
