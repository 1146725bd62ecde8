"""The sidebar: pinned ones, then the others by the day of their last use, page by page."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.chat.history import tell
from tests.chat.page import Page
from webchat.accounts.models import User
from webchat.chat import sidebar
from webchat.chat.models import Conversation


def titles(page: Page) -> list[str]:
    links = (one for one in page.root.iter("a") if "conversation-link__title" in one.get("class", ""))
    return [link.text or "" for link in links]


def more_url(page: Page) -> str:
    more = page.find("#sidebar-more")
    return more.get("hx-get", "") if more is not None else ""


@pytest.mark.parametrize(
    ("days_ago", "label"),
    [
        (0, "Today"),
        (1, "Yesterday"),
        (2, "Last 7 days"),
        (6, "Last 7 days"),
        (7, "Last 30 days"),
        (29, "Last 30 days"),
    ],
)
def test_days_have_names(days_ago: int, label: str) -> None:
    now = timezone.now()
    assert sidebar.label(now - timedelta(days=days_ago), timezone.localdate()) == label


def test_before_that_months_have() -> None:
    then = datetime(2024, 2, 29, 12, tzinfo=ZoneInfo("UTC"))
    assert sidebar.label(then, timezone.localdate()) == "February 2024"
    with translation.override("zh-hans"):
        assert sidebar.label(then, timezone.localdate()) == "2024年2月"


def test_a_clock_that_was_ahead_makes_it_today() -> None:
    assert sidebar.label(timezone.now() + timedelta(days=3), timezone.localdate()) == "Today"


def test_the_last_used_stands_first(alice: User) -> None:
    for hours in (30, 1, 900):
        tell(alice, title=f"{hours}", active_at=timezone.now() - timedelta(hours=hours))
    groups = sidebar.load(alice).groups
    assert [one.title for _label, group in groups for one in group] == ["1", "30", "900"]


def test_pinned_ones_stand_apart_and_first(as_alice: Client, alice: User) -> None:
    tell(alice, title="new")
    tell(alice, title="old", is_pinned=True, active_at=timezone.now() - timedelta(days=90))
    html = as_alice.get("/sidebar/").content.decode()
    assert titles(Page(html)) == ["old", "new"]
    assert html.index("Pinned") < html.index("old") < html.index("Today")


def test_page_by_page_all_are_listed_once(as_alice: Client, alice: User) -> None:
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(owner=alice, title=f"{number}", model="x", active_at=now - timedelta(hours=number))
        for number in range(90)
    )
    page = Page(as_alice.get("/conversations/").content.decode())
    listed, pages = titles(page), 1
    while url := more_url(page):
        page = Page(as_alice.get(url, headers={"HX-Request": "true"}).content.decode())
        listed, pages = listed + titles(page), pages + 1
    assert listed == [str(number) for number in range(90)] and pages == 3


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "9" * 5000, "99999", "1e3", "%00", "٣"])
def test_any_page_number_gets_a_page(as_alice: Client, alice: User, page: str) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        assert as_alice.get(f"/sidebar/?page={page}", headers=headers).status_code == 200


def test_only_mine_are_listed(as_alice: Client, alice: User, bob: User) -> None:
    tell(bob, title="Bob's")
    tell(alice, title="Deleted", deleted_at=timezone.now())
    tell(alice, title="Mine")
    assert titles(Page(as_alice.get("/conversations/").content.decode())) == ["Mine"]


def test_an_older_page_without_scripts_lists_them(as_alice: Client, alice: User) -> None:
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(owner=alice, title=f"{number}", model="x", active_at=now - timedelta(hours=number))
        for number in range(50)
    )
    assert titles(Page(as_alice.get("/sidebar/?page=2").content.decode())) == [str(n) for n in range(40, 50)]
