"""The books: every call and every entry of the ledger, to be read, filtered and taken along."""

import uuid
from decimal import Decimal

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from tests.backoffice.reading import cells_of, text_of, used
from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, Need, UsageRecord
from webchat.backoffice.books import UsageRecordAdmin
from webchat.upstream.wire import Usage

CALLS = "/admin/allocation/usagerecord/"
LEDGER = "/admin/allocation/ledgerentry/"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def calls(alice: User, bob: User, token: APIToken) -> dict[str, UsageRecord]:
    """Three that differ in everything that can be looked for."""
    spare = APIToken.objects.all().add("sk-another-one-5521", label="Spare", base_url=token.base_url)
    Group.objects.create(name="Research").user_set.set([bob])
    for name in ("gpt-4", "claude", "qwen"):
        ModelInfo.objects.get_or_create(name=name, defaults={"kind": "chat"})
    return {
        "alice": used(alice, 111, cost="0.1"),
        "bob": used(bob, 222, model="claude", api_token=spare, origin="estimated", outcome="failed"),
        "old": used(alice, 333, days_ago=400, model="qwen", source="title", outcome="stopped"),
    }


def taken(client: Client, path: str, **query: object) -> list[dict[str, str]]:
    header, *rows = cells_of(client.get(f"{path}export/", query))
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"alice", "bob", "old"}),
        ({"user": "bob"}, {"bob"}),
        ({"user__groups": "Research"}, {"bob"}),
        ({"model": "claude"}, {"bob"}),
        ({"api_token": "Spare"}, {"bob"}),
        ({"outcome__exact": "failed"}, {"bob"}),
        ({"origin__exact": "estimated"}, {"bob"}),
        ({"source__exact": "title"}, {"old"}),
        ({"created_at__gte": "2 days"}, {"alice", "bob"}),
        ({"q": "ALICE"}, {"alice", "old"}),
        ({"q": "bob@example"}, {"bob"}),
        ({"q": "nobody"}, set()),
        ({"q": "alice", "model": "qwen"}, {"old"}),
    ],
)
def test_calls_are_found_and_taken_along_by_what_is_asked(
    as_admin: Client, calls: dict[str, UsageRecord], query: dict[str, str], found: set[str]
) -> None:
    known = {
        "bob": calls["bob"].user_id,
        "Research": Group.objects.values_list("pk", flat=True).first(),
        "Spare": calls["bob"].api_token_id,
        "2 days": (timezone.now() - timezone.timedelta(days=2)).isoformat(),
    }
    query = {name: value if name == "q" else known.get(value, value) for name, value in query.items()}
    page = text_of(as_admin.get(CALLS, query))
    tokens = {"alice": "111", "bob": "222", "old": "333"}
    assert {name for name, number in tokens.items() if f" {number} " in page} == found
    assert {row["id"] for row in taken(as_admin, CALLS, **query)} == {str(calls[name].pk) for name in found}


def test_all_that_is_known_of_a_call_is_taken_along(
    as_admin: Client, alice: User, calls: dict[str, UsageRecord]
) -> None:
    (row,) = taken(as_admin, CALLS, model="gpt-4")
    assert (row["user__username"], row["api_token__label"], row["spent_cost"]) == (
        "alice",
        "Team",
        "0.100000000",
    )
    assert (row["prompt_tokens"], row["outcome"], row["duration_ms"]) == ("111", "complete", "")


def test_what_cannot_be_looked_for_is_said_to_be_so(as_admin: Client, calls: dict[str, UsageRecord]) -> None:
    for query in ({"user": "x"}, {"user__groups": "x"}, {"api_token": "x"}, {"nothing": "x"}):
        assert as_admin.get(CALLS, query).status_code == 302  # to ?e=1, as Django does it
        page = text_of(as_admin.get(f"{CALLS}export/", query, follow=True))
        assert "There is no such filter." in page


def test_the_ledger_says_what_changed_who_did_it_and_why(
    as_admin: Client, admin: User, alice: User, token: APIToken
) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=1000, actor=admin, reason="She asked")
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(40, 60))
    metering.settle(record, Spent("complete", Usage(30, 20, 50)))
    mine.adjust(tokens=-7, cost=Decimal(0), actor=admin, reason="=SUM(A1)")
    query = {"allocation__id__exact": mine.pk}
    page = text_of(as_admin.get(LEDGER, query))
    assert "She asked" in page and str(record.pk)[:8] in page and "4 ledger" in page
    rows = taken(as_admin, LEDGER, **query)
    assert [row["kind"] for row in rows] == ["adjust", "settle", "reserve", "grant"]
    assert rows[0]["reason"] == "'=SUM(A1)" and rows[0]["spent_tokens"] == "-7"
    assert (rows[1]["reserved_tokens"], rows[1]["spent_tokens"]) == ("-100", "50")
    assert rows[1]["record_id"] == str(record.pk) and rows[3]["actor__username"] == "admin"


@pytest.mark.parametrize(
    ("name", "value", "kinds"),
    [
        ("kind__exact", "reserve", {"reserve"}),
        ("actor", "admin", {"grant"}),
        ("allocation__user", "alice", {"grant", "reserve"}),
        ("q", "alice", {"grant", "reserve"}),
        ("q", "bob", set()),
    ],
)
def test_the_ledger_is_filtered(
    as_admin: Client,
    admin: User,
    alice: User,
    bob: User,
    token: APIToken,
    name: str,
    value: str,
    kinds: set[str],
) -> None:
    Allocation.objects.grant(user=alice, actor=admin)
    metering.reserve(alice, source="chat", model="gpt-4", need=Need(4, 5))
    people = {"admin": admin.pk, "alice": alice.pk}
    value = value if name == "q" else people.get(value, value)
    assert {row["kind"] for row in taken(as_admin, LEDGER, **{name: value})} == kinds


def test_nobody_writes_the_ledger(as_admin: Client, alice: User, token: APIToken) -> None:
    entry = LedgerEntry.objects.latest("pk")
    assert as_admin.get(f"{LEDGER}{entry.pk}/change/").status_code == 200
    for path in ("add/", f"{entry.pk}/change/", f"{entry.pk}/delete/"):
        assert as_admin.post(LEDGER + path, {"spent_tokens": "0"}).status_code == 403
    as_admin.post(LEDGER, {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"})
    assert LedgerEntry.objects.filter(pk=entry.pk).exists()


class SmallBook(UsageRecordAdmin):
    longest_export = 1


def test_too_many_rows_are_refused_in_words(as_admin: Client, alice: User, token: APIToken) -> None:
    book, request = SmallBook(UsageRecord, site), as_admin.get(CALLS).wsgi_request
    used(alice)
    assert book.export(request)["Content-Type"].startswith("text/csv")
    used(alice)
    assert book.export(request)["Location"] == CALLS
    said = [str(message) for message in get_messages(request)]
    assert said == ["These are too many rows for one table. Choose fewer with the filters."]


def test_only_who_may_see_them_may_take_them_along(as_alice: Client, bob: User) -> None:
    for path in (f"{LEDGER}export/", f"{CALLS}export/"):
        assert as_role(bob, "auditor").get(path).status_code == 200
        User.objects.filter(pk=bob.pk).update(role="member", is_staff=True)
        assert signed_in(Client(), bob).get(path).status_code == 403
    assert "/login/" in as_alice.get(f"{LEDGER}export/")["Location"]


def test_one_that_does_not_exist_is_not_there(as_admin: Client) -> None:
    assert as_admin.get(f"{CALLS}{uuid.uuid4()}/change/").status_code == 302  # to the index, with a message
