"""Ending a grant, and putting right what counts as spent: each with a reason, and each leaves an entry in the ledger."""

import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.backoffice.reading import text_of
from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation import proof
from webchat.allocation.models import Allocation, APIToken, LedgerEntry

Kind = LedgerEntry.Kind


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def mine(alice: User, token: APIToken) -> Allocation:
    """Of which some is spent."""
    allocation = Allocation.objects.grant(user=alice, token_limit=1000, cost_limit=Decimal(10))
    allocation.adjust(tokens=500, cost=Decimal(5), actor=None, reason="For the test")
    return allocation


def address(allocation: Allocation, verb: str) -> str:
    return f"/admin/allocations/{allocation.pk}/{verb}/"


def adjust(client: Client, allocation: Allocation, *, seen: int | None = None, **fields: str) -> str:
    """What the page says."""
    last = allocation.entries.filter(kind=Kind.ADJUST).order_by("-pk").first()
    form = {"reason": "The upstream broke off", "seen": str(seen if seen is not None else last.pk), **fields}
    return text_of(client.post(address(allocation, "adjustments"), form, follow=True))


def spent(allocation: Allocation) -> tuple[int, Decimal]:
    allocation.refresh_from_db()
    return allocation.spent


def test_something_is_given_back(as_admin: Client, admin: User, mine: Allocation) -> None:
    page = adjust(as_admin, mine, tokens="-200", cost="-0.000000001")
    # On the person's page, where it can be seen.
    assert "Corrected. It stands in the ledger." in page and "700 of 1,000" in page
    assert spent(mine) == (300, Decimal("4.999999999"))
    entry = mine.entries.order_by("-pk").first()
    assert entry and (entry.kind, entry.actor, entry.reason) == (Kind.ADJUST, admin, "The upstream broke off")
    assert list(proof.problems()) == []


def test_something_is_taken_away(as_admin: Client, mine: Allocation) -> None:
    adjust(as_admin, mine, tokens="2000")
    assert spent(mine) == (2500, Decimal(5))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tokens": "", "cost": ""}, "Enter tokens or money."),
        ({"tokens": "0", "cost": "0"}, "Enter tokens or money."),
        ({"tokens": "-1", "reason": " "}, "This field is required."),
        ({"tokens": "-501"}, "No more can be given back than was spent in this period: 500 · 5.00 USD."),
        ({"cost": "-5.01"}, "No more can be given back than was spent"),
        ({"tokens": "many"}, "Enter a whole number."),
        ({"tokens": "9" * 40}, "less than or equal to"),
        ({"cost": "NaN"}, "Enter a number."),
        ({"cost": "Infinity"}, "Enter a number."),
        ({"cost": "1e300"}, "Ensure that"),
        ({"cost": "0.0000000001"}, "Ensure that there are no more than 9 decimal places."),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    as_admin: Client, mine: Allocation, fields: dict[str, str], sentence: str
) -> None:
    assert sentence in adjust(as_admin, mine, **fields)
    assert spent(mine) == (500, Decimal(5))


def test_of_two_who_correct_at_once_the_second_is_told(as_admin: Client, mine: Allocation) -> None:
    both_saw = mine.entries.get(kind=Kind.ADJUST).pk
    adjust(as_admin, mine, seen=both_saw, tokens="-200")
    assert "It was corrected meanwhile." in adjust(as_admin, mine, seen=both_saw, tokens="-200")
    assert spent(mine)[0] == 300


def test_what_an_earlier_period_had_spent_is_not_given_back(as_admin: Client, mine: Allocation) -> None:
    Allocation.objects.filter(pk=mine.pk).update(period_began="2020-01-01")
    assert "0 · 0.00 USD" in adjust(as_admin, mine, tokens="-1")


def test_a_grant_is_revoked_with_a_reason(
    as_admin: Client, admin: User, alice: User, mine: Allocation
) -> None:
    assert "Revoke" in text_of(as_admin.get(address(mine, "revocation")))
    assert "This field is required." in text_of(as_admin.post(address(mine, "revocation"), {"reason": ""}))
    page = text_of(as_admin.post(address(mine, "revocation"), {"reason": "Left the team"}, follow=True))
    assert "Revoked." in page
    entry = mine.entries.get(kind=Kind.REVOKE)
    assert (entry.actor, entry.reason) == (admin, "Left the team")
    assert mine not in Allocation.objects.open_to(alice)


def test_of_two_who_revoke_the_second_is_told(as_admin: Client, mine: Allocation) -> None:
    as_admin.post(address(mine, "revocation"), {"reason": "First"})
    again = as_admin.post(address(mine, "revocation"), {"reason": "Second"})
    assert "Somebody else has revoked it meanwhile." in text_of(again)
    assert mine.entries.filter(kind=Kind.REVOKE).count() == 1
    for verb in ("revocation", "adjustments"):
        page = text_of(as_admin.get(address(mine, verb)))
        assert "This allocation was revoked." in page


def test_a_groups_leads_back_to_the_allocation(as_admin: Client, token: APIToken) -> None:
    theirs = Allocation.objects.grant(group=Group.objects.create(name="Research"))
    response = as_admin.post(address(theirs, "revocation"), {"reason": "Over"})
    assert response["Location"] == f"/admin/allocation/allocation/{theirs.pk}/change/"


def test_its_form_leads_to_ledger_correction_and_end(as_admin: Client, mine: Allocation) -> None:
    page = as_admin.get(f"/admin/allocation/allocation/{mine.pk}/change/").content.decode()
    for link in (
        address(mine, "adjustments"),
        address(mine, "revocation"),
        f"allocation__id__exact={mine.pk}",
    ):
        assert link in page


def test_unknown_ones_are_not_found(as_admin: Client) -> None:
    for verb in ("revocation", "adjustments"):
        path = f"/admin/allocations/{uuid.uuid4()}/{verb}/"
        assert as_admin.get(path).status_code == as_admin.post(path).status_code == 404


def test_only_who_may_change_allocations_may(as_alice: Client, bob: User, mine: Allocation) -> None:
    as_viewer = as_role(bob, "auditor")
    for verb in ("revocation", "adjustments"):
        response = as_alice.post(address(mine, verb), {"reason": "Mine!", "tokens": "-100"})
        assert response.status_code == 302 and "/login/" in response["Location"]
        assert as_viewer.get(address(mine, verb)).status_code == 403
        assert as_viewer.post(address(mine, verb), {"reason": "I"}).status_code == 403
    assert spent(mine) == (500, Decimal(5)) and mine.revoked_at is None
