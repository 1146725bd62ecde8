"""The trail is read, filtered, searched and taken along, by those who may; nobody writes on it from there."""

import csv
import io

import pytest
from django.test import Client

from webchat.accounts.models import AuditEvent, User
from webchat.backoffice import audit

LIST = "/admin/accounts/auditevent/"


@pytest.fixture
def trail(staff: dict[str, User], bob: User) -> None:
    note = AuditEvent.objects.note
    note(
        staff["owner"],
        "role_changed",
        bob,
        reason="=cmd|' /C calc'!A0",
        details={"role": ["member", "auditor"]},
    )
    note(staff["allocator"], "grant", bob, details={"budget": [None, 5]})
    note(None, "token_refused", reason="insufficient_quota")


def rows(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"{LIST}export/{query}")
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def listed(client: Client, query: str) -> int:
    response = client.get(LIST + query)
    assert response.status_code == 200
    return len(response.context["cl"].result_list)


def test_it_is_read_like_any_list(as_owner: Client, trail: None) -> None:
    html = as_owner.get(LIST).content.decode()
    for word in ("role changed", "role: member → auditor", "budget: – → 5", "the portal", "Export as CSV"):
        assert word in html
    event = AuditEvent.objects.get(action="grant")
    page = as_owner.get(f"{LIST}{event.pk}/change/").content.decode()
    assert "allocation granted" in page and 'name="_save"' not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?action=grant", 1),
        ("?actor__id__exact={owner}", 1),
        ("?person__id__exact={bob}", 2),
        ("?person__id__exact={bob}&action=role_changed", 1),
        ("?q=insufficient", 1),
        ("?q=bob", 2),
        ("?q=nobody", 0),
        ("?at__gte=2999-01-01 00:00:00%2B00:00", 0),
        ("?at__year=2000", 0),
        ("?at__gte=2000-01-01 00:00:00%2B00:00", 3),
    ],
)
def test_the_filters_hold_for_the_list_and_the_table(
    as_owner: Client, staff: dict[str, User], bob: User, trail: None, query: str, count: int
) -> None:
    query = query.format(owner=staff["owner"].pk, bob=bob.pk)
    assert listed(as_owner, query) == count
    assert len(rows(as_owner, query)) == count


def test_the_list_leads_to_the_same_table(as_owner: Client, trail: None) -> None:
    assert f"{LIST}export/?action=grant" in as_owner.get(f"{LIST}?action=grant").content.decode()


def test_a_formula_stays_text(as_owner: Client, trail: None) -> None:
    found = next(row for row in rows(as_owner) if row["action"] == "role_changed")
    assert found["reason"] == "'=cmd|' /C calc'!A0"
    assert (found["actor"], found["person"], found["details"]) == ("admin", "bob", "role: member → auditor")


def test_taking_it_along_is_noted(as_owner: Client, staff: dict[str, User], trail: None) -> None:
    rows(as_owner, "?action=grant")
    event = AuditEvent.objects.first()
    assert event and (event.action, event.actor) == ("export", staff["owner"])
    assert event.details == {"filters": {"action": "grant"}}


def test_what_is_too_much_for_a_table_is_said(
    as_owner: Client, trail: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LONGEST_EXPORT", 2)
    html = as_owner.get(f"{LIST}export/", follow=True).content.decode()
    assert "too many events for one table" in html
    assert not AuditEvent.objects.filter(action="export").exists()


@pytest.mark.parametrize(
    "query", ["?action=nonsense", "?person__id__exact=x", "?password=1", "?at__gte=x", "?p=999"]
)
def test_odd_filters_break_nothing(as_owner: Client, trail: None, query: str) -> None:
    for path in (LIST, f"{LIST}export/"):
        assert as_owner.get(path + query, follow=True).status_code == 200


def test_people_who_are_gone_stay_in_it(as_owner: Client, bob: User, trail: None) -> None:
    event = AuditEvent.objects.get(action="grant")
    bob.delete()
    assert "bob" in as_owner.get(LIST).content.decode()
    assert as_owner.get(f"{LIST}{event.pk}/change/").status_code == 200
    assert {row["person"] for row in rows(as_owner)} == {"bob", ""}


def test_the_list_asks_few_questions(
    as_owner: Client, bob: User, trail: None, django_assert_max_num_queries: object
) -> None:
    for _number in range(50):
        AuditEvent.objects.note(bob, "request", bob)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        as_owner.get(LIST)
