"""Running out, asking for more, being granted it, going on; and being refused, where no script runs."""

from playwright.sync_api import Page, expect

from tests.browser.chatting import answer, ask, box, expect_state
from tests.browser.conftest import Visit
from tests.browser.watching import Watcher

QUEUE = "/admin/allocation/allocationrequest/"


def allocate(desk: Page, person: str, tokens: int) -> None:
    """As an admin does it, in the plain form."""
    desk.goto("/admin/allocation/allocation/add/")
    desk.locator(".select2-selection").first.click()
    desk.locator(".select2-search__field").fill(person)
    desk.locator(".select2-results__option", has_text=person).first.click()
    desk.locator("#id_token_limit").fill(str(tokens))
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.locator(".messagelist .success")).to_be_visible()


def open_request(desk: Page) -> None:
    desk.goto("/admin/")
    desk.get_by_role("link", name="waits for a decision").click()
    desk.locator("#result_list tbody th a").first.click()


def test_run_out_ask_be_granted_and_go_on(visit: Visit, watcher: Watcher) -> None:
    watcher.expect("status of 429|Response Status Error Code 429")
    desk, page = visit("admin"), visit("bob")
    allocate(desk, "bob", 300)
    ask(page, "Hello")
    expect_state(answer(page), "complete")
    box(page).fill("Tell me more about it")
    page.get_by_label("Send", exact=True).click()
    page.get_by_role("link", name="Ask for more").click()

    page.get_by_label("Tokens").fill("900000000")
    page.get_by_label("What for").fill("The translation of the handbook")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".request")).to_contain_text("900,000,000 tokens")
    expect(page.get_by_role("button", name="Withdraw your request")).to_be_visible()

    open_request(desk)
    expect(desk.locator("#id_tokens")).to_have_value("900000000")
    desk.get_by_label("For good").check()
    desk.get_by_label("Note").fill("Gladly")
    desk.get_by_role("button", name="Grant").click()
    expect(desk.locator(".messagelist .success")).to_contain_text("Granted: bob")

    page.goto("/conversations/")
    expect(page.locator(".news")).to_contain_text("You were granted what you asked for")
    ask(page, "Hello again")
    expect_state(answer(page), "complete")
    page.goto("/usage/ask/")
    expect(page.locator(".request")).to_contain_text("Gladly")
    page.goto("/conversations/")
    expect(page.locator(".news")).to_have_count(0)


def test_refused_without_scripts(visit: Visit, watcher: Watcher) -> None:
    watcher.expect("status of 422")
    desk, page = visit("admin", java_script_enabled=False), visit("alice", java_script_enabled=False)
    page.goto("/usage/ask/")
    page.get_by_label("Tokens").fill("-1")
    page.get_by_label("What for").fill("Nothing in particular")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("greater than or equal to 1")
    page.get_by_label("Tokens").fill("1000")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your request was sent.")).to_be_visible()

    open_request(desk)
    desk.get_by_role("button", name="Refuse").click()
    expect(desk.locator(".errorlist")).to_contain_text("Say why")
    desk.get_by_label("Note").fill("Use what you have")
    desk.get_by_role("button", name="Refuse").click()

    page.goto("/conversations/")
    page.get_by_role("link", name="See what became of it").click()
    expect(page.locator(".request")).to_contain_text("Use what you have")
