"""Someone who reads Chinese: the language changes without losing a word, and the answer comes in it."""

from playwright.sync_api import expect

from tests.browser.chatting import answer, ask, box, expect_state, text_of
from tests.browser.conftest import Visit


def test_the_language_changes_and_the_draft_stays(visit: Visit) -> None:
    page = visit("alice")
    box(page).fill("1+1等于多少？")
    page.get_by_role("button", name="Alice").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_placeholder("Write a message")).to_have_count(0)
    expect(box(page)).to_have_value("1+1等于多少？")
    box(page).press("Enter")
    expect_state(answer(page), "complete")
    assert "2。" in text_of(answer(page))
    ask(page, "请用表格比较三种备份方法")
    expect_state(answer(page), "complete")
    expect(answer(page).get_by_role("table")).to_be_visible()


def test_a_browser_that_speaks_chinese_is_answered_in_it(visit: Visit) -> None:
    page = visit("alice", locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
