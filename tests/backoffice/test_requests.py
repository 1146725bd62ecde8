"""The queue of requests: an admin sees what is needed to decide, grants, changes or refuses, and of two one is told."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, AllocationRequest, APIToken, Need
from webchat.upstream.wire import Usage

QUEUE = "/admin/allocation/allocationrequest/"
REASON = "The translation of <b>the</b> handbook"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def mine(alice: User, token: APIToken) -> Allocation:
    mine = Allocation.objects.grant(user=alice, token_limit=1000, cost_limit=7)
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(100, 200))
    metering.settle(record, Spent("complete", Usage(100, 200, 300)))
    return mine


@pytest.fixture
def asked(alice: User, mine: Allocation) -> AllocationRequest:
    until = timezone.localdate() + timedelta(days=3)
    return AllocationRequest.objects.ask(alice, tokens=5000, until=until, reason=REASON, language="zh-hans")


def decide(client: Client, asked: AllocationRequest, decision: str = "grant", **fields: Any) -> HttpResponse:
    sent = {
        "tokens": "5000",
        "until": asked.until.isoformat() if asked.until else "",
        "way": f"top-{Allocation.objects.exclude(user=None).earliest('created_at').pk}",
        "seen_version": "1",
        "decision": decision,
        **fields,
    }
    return client.post(f"{QUEUE}{asked.pk}/change/", sent, follow=True)


def text(response: HttpResponse) -> str:
    return html.unescape(response.content.decode())


def test_those_who_wait_come_first(
    as_admin: Client, admin: User, bob: User, asked: AllocationRequest
) -> None:
    AllocationRequest.objects.ask(bob, tokens=77, reason="Later").refuse(admin, "No", version=1)
    page = text(as_admin.get(QUEUE))
    assert page.index("5,000 tokens") < page.index("77 tokens")
    assert "77 tokens" not in text(as_admin.get(f"{QUEUE}?decided=no"))
    assert "5,000 tokens" not in text(as_admin.get(f"{QUEUE}?decided=yes"))
    assert "5,000 tokens" not in text(as_admin.get(f"{QUEUE}?q=bob"))


def test_the_first_page_says_how_many_wait(as_admin: Client, admin: User, asked: AllocationRequest) -> None:
    assert "1 request for more waits for a decision" in text(as_admin.get("/admin/"))
    asked.refuse(admin, "No", version=1)
    assert "for a decision" not in text(as_admin.get("/admin/"))


def test_all_that_one_has_to_know_is_on_one_page(
    as_admin: Client, admin: User, alice: User, asked: AllocationRequest
) -> None:
    asked.refuse(admin, "Ask again later", version=1)
    again = AllocationRequest.objects.ask(alice, tokens=6000, reason="Later")
    response = as_admin.get(f"{QUEUE}{again.pk}/change/")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text(response)))
    for fact in (
        "alice : 6,000 tokens · waiting",
        "alice · each month 1,000 tokens, 7.00 USD 300 tokens, 0.00 USD 700 tokens, 7.00 USD",
        "Everyone · each month (not used now) no limit",
        "gpt-4 1 300 0.00 USD",
        "What they asked for before",
        "Ask again later",
    ):
        assert fact in page, (fact, page)
    assert "<b>the</b>" not in response.content.decode()


def test_granted_as_asked_for(as_admin: Client, admin: User, asked: AllocationRequest) -> None:
    page = text(decide(as_admin, asked, note="Gladly"))
    assert "Granted: alice · 5,000 tokens" in page
    asked.refresh_from_db()
    assert (asked.state, asked.note, asked.decided_by) == ("granted", "Gladly", admin)
    assert asked.allocation and asked.allocation.token_limit == 5000 and asked.allocation.is_extra


def test_changed_where_something_else_was_filled_in(as_admin: Client, asked: AllocationRequest) -> None:
    decide(as_admin, asked, tokens="", cost="2", until="")
    asked.refresh_from_db()
    assert asked.state == "changed" and asked.allocation
    assert (asked.allocation.token_limit, asked.allocation.cost_limit, asked.allocation.valid_until) == (
        None,
        2,
        None,
    )


def test_raised_for_good(as_admin: Client, asked: AllocationRequest, mine: Allocation) -> None:
    assert "(now 1,000 tokens, 7.00 USD)" in text(as_admin.get(f"{QUEUE}{asked.pk}/change/"))
    decide(as_admin, asked, way=f"raise-{mine.pk}")
    mine.refresh_from_db()
    asked.refresh_from_db()
    assert (mine.token_limit, asked.state, asked.allocation) == (6000, "granted", mine)


def test_refused_with_a_reason(as_admin: Client, asked: AllocationRequest) -> None:
    assert "Say why" in text(decide(as_admin, asked, "refuse"))
    asked.refresh_from_db()
    assert asked.is_open
    decide(as_admin, asked, "refuse", note="No money", tokens="nonsense", way="")
    asked.refresh_from_db()
    assert (asked.state, asked.note) == ("refused", "No money") and not Allocation.objects.filter(
        is_extra=True
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tokens": "-1"}, "greater than or equal to 1"),
        ({"tokens": "1e400"}, "Enter a whole number."),
        ({"cost": "NaN"}, "Enter a number."),
        ({"tokens": ""}, "Say how much"),
        ({"until": "2020-01-01"}, "This day is over."),
        ({"way": "top-no-such"}, "Select a valid choice."),
        ({"way": ""}, "This field is required."),
        ({"note": "x" * 2001}, "at most 2000 characters"),
        ({"seen_version": "x"}, "Enter a whole number."),
    ],
)
def test_what_cannot_be_granted_is_said_and_can_be_corrected(
    as_admin: Client, asked: AllocationRequest, wrong: dict[str, str], sentence: str
) -> None:
    page = text(decide(as_admin, asked, **wrong))
    assert sentence in page and "Nothing was decided yet" in page
    asked.refresh_from_db()
    assert asked.is_open and 'value="grant"' in page


def test_more_money_than_can_be_counted_is_refused_in_words(
    as_admin: Client, asked: AllocationRequest, mine: Allocation
) -> None:
    page = text(decide(as_admin, asked, cost="1000000000", way=f"raise-{mine.pk}"))
    assert "less than or equal to 1000000000" in page and 'value="grant"' in page
    mine.refresh_from_db()
    assert (mine.token_limit, mine.cost_limit) == (1000, 7)


def test_nobody_s_allocation_but_theirs_can_be_raised(
    as_admin: Client, bob: User, asked: AllocationRequest
) -> None:
    others = Allocation.objects.grant(user=bob, token_limit=10)
    everyones = Allocation.objects.get(user=None)
    for pk in (others.pk, everyones.pk):
        assert "Select a valid choice." in text(decide(as_admin, asked, way=f"raise-{pk}"))
    others.refresh_from_db()
    assert others.token_limit == 10


def test_of_two_admins_the_second_is_told(as_admin: Client, admin: User, asked: AllocationRequest) -> None:
    decide(as_admin, asked)
    second = signed_in(Client(), User.objects.create_superuser("second", "second@example.org", "x"))
    page = text(decide(second, asked, "refuse", note="No"))
    assert "This was decided already, by admin: granted." in page and 'value="grant"' not in page
    asked.refresh_from_db()
    assert asked.state == "granted" and Allocation.objects.filter(is_extra=True).count() == 1


def test_what_was_asked_meanwhile_has_to_be_looked_at(
    as_admin: Client, alice: User, asked: AllocationRequest
) -> None:
    AllocationRequest.objects.ask(alice, tokens=10**9, reason="Much more")
    page = text(decide(as_admin, asked))
    assert "This has changed since you looked at it." in page and "1,000,000,000 tokens" in page
    AllocationRequest.objects.get().withdraw()
    assert "This was withdrawn meanwhile, by alice." in text(decide(as_admin, asked, seen_version="2"))
    assert not Allocation.objects.filter(is_extra=True).exists()


def test_only_who_may_decide_comes_in(
    as_alice: Client, client: Client, alice: User, asked: AllocationRequest
) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.org", "x", is_staff=True)
    for browser in (as_alice, client, signed_in(Client(), clerk)):
        for path in (QUEUE, f"{QUEUE}{asked.pk}/change/", f"{QUEUE}{asked.pk}/history/"):
            assert browser.get(path).status_code in (302, 403)
        decide(browser, asked)
        assert "waits for a decision" not in text(browser.get("/admin/", follow=True))
    asked.refresh_from_db()
    assert asked.is_open


def test_who_may_only_look_sees_it_and_decides_nothing(asked: AllocationRequest) -> None:
    browser = as_role(User.objects.create_user("auditor", "auditor@example.org", "x"), "auditor")
    page = text(browser.get(f"{QUEUE}{asked.pk}/change/"))
    assert "5,000 tokens" in page and 'value="grant"' not in page
    assert decide(browser, asked).status_code == 403
    asked.refresh_from_db()
    assert asked.is_open


def test_nobody_adds_or_deletes_one(as_admin: Client, asked: AllocationRequest) -> None:
    assert as_admin.post(f"{QUEUE}add/", {"tokens": "5"}).status_code == 403
    assert as_admin.post(f"{QUEUE}{asked.pk}/delete/", {"post": "yes"}).status_code == 403
    as_admin.post(QUEUE, {"action": "delete_selected", "_selected_action": [str(asked.pk)], "post": "yes"})
    assert AllocationRequest.objects.count() == 1


def test_a_person_who_was_granted_nothing_can_go_with_what_they_asked_for(
    as_admin: Client, admin: User, charlie: User
) -> None:
    AllocationRequest.objects.ask(charlie, tokens=5, reason="Trying").refuse(admin, "No", version=1)
    as_admin.post(f"/admin/accounts/user/{charlie.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=charlie.pk).exists() and not AllocationRequest.objects.exists()


@pytest.mark.parametrize("pk", ["00000000-0000-4000-8000-000000000000", "nonsense", "1"])
def test_what_is_not_there_is_not_found(as_admin: Client, asked: AllocationRequest, pk: str) -> None:
    assert as_admin.get(f"{QUEUE}{pk}/change/").status_code == 404


def test_its_page_has_nothing_that_the_browser_would_block(
    as_admin: Client, asked: AllocationRequest
) -> None:
    for path in ("/admin/", QUEUE, f"{QUEUE}{asked.pk}/change/"):
        page = as_admin.get(path).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page), path


def test_whoever_asked_is_told_by_mail_in_their_language(
    as_admin: Client, alice: User, asked: AllocationRequest, settings: Settings
) -> None:
    settings.MAIL_CONFIGURED = True
    decide(as_admin, asked, tokens="2500", note="Half of it")
    (letter,) = mail.outbox
    assert letter.to == [alice.email] and letter.subject == "你获批的与所申请的不同"
    assert "2,500 个 token" in letter.body and "Half of it" in letter.body
    assert "http://testserver/usage/ask/" in letter.body


def test_a_mail_server_that_is_away_costs_nobody_the_decision(
    as_admin: Client, asked: AllocationRequest, settings: Settings
) -> None:
    settings.MAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert "Granted: alice" in text(decide(as_admin, asked))
