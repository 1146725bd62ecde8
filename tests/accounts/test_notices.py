"""Whoever's conversations were opened is told on the next page, until they have read it; and can look it up."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from webchat.accounts.models import BreakGlass, User

REASON = "A complaint <b>about</b> what was written"


@pytest.fixture
def glass(boss: User, person: User) -> BreakGlass:
    return BreakGlass.objects.open(boss, person, reason=REASON, minutes=15)


def dismiss(browser: Client, glass: BreakGlass, **data: str):
    return browser.post(f"/accounts/notices/{glass.pk}/dismiss/", data)


@pytest.mark.parametrize("page", ["/conversations/", "/accounts/", "/accounts/sessions/"])
def test_the_next_page_tells_it(sign_in, glass, page):
    html = sign_in().get(page).content.decode()
    assert "boss has opened your conversations for reading" in html
    assert "A complaint &lt;b&gt;about&lt;/b&gt;" in html and "<b>about" not in html


def test_others_are_not_told(sign_in, boss, glass):
    User.objects.create_user("bob", "bob@example.com", "correct horse battery")
    assert "opened your conversations" not in sign_in("bob").get("/conversations/").content.decode()


def test_read_it_is_gone_and_stays_listed(sign_in, glass):
    browser = sign_in()
    answer = dismiss(browser, glass, next="/conversations/")
    assert answer["Location"] == "/conversations/"
    assert "opened your conversations" not in browser.get("/conversations/").content.decode()
    profile = browser.get("/accounts/").content.decode()
    assert "A complaint" in profile and "boss" in profile and "has opened" not in profile


def test_the_profile_says_how_many_were_opened(sign_in, glass):
    for number in (0, 1, 2, 0):
        glass.note_reading(f"00000000-0000-4000-8000-00000000000{number}")
    assert "<dd>3</dd>" in "".join(sign_in().get("/accounts/").content.decode().split())


def test_it_leads_to_no_other_site(sign_in, glass):
    for address in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        assert dismiss(sign_in(), glass, next=address)["Location"] == "/accounts/"


def test_only_whom_it_concerns_dismisses_it(sign_in, boss, glass, client):
    assert dismiss(sign_in("boss"), glass).status_code == 404
    assert dismiss(client, glass).status_code == 302
    assert sign_in().get(f"/accounts/notices/{glass.pk}/dismiss/").status_code == 405
    glass.refresh_from_db()
    assert glass.dismissed_at is None


def test_closing_and_ending_leave_it_there(sign_in, boss, glass):
    glass.close(boss)
    assert "has opened your conversations" in sign_in().get("/conversations/").content.decode()


def test_a_page_asks_nothing_more_when_there_is_nothing_to_tell(sign_in, person):
    browser = sign_in()
    with CaptureQueriesContext(connection) as asked:
        browser.get("/conversations/")
    assert [query["sql"] for query in asked if "breakglass" in query["sql"]] == [
        query["sql"] for query in asked if 'FROM "accounts_user"' in query["sql"]
    ]


def test_an_owner_who_leaves_takes_no_notice_along(sign_in, boss, glass):
    User.objects.create_superuser("other", "other@example.com", "x")
    boss.delete()
    assert "boss has opened" in sign_in().get("/conversations/").content.decode()
