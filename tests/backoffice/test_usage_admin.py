"""Usage is for reading; allocations are for changing."""

import html

import pytest
from django.test import Client

from tests.conftest import signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, Need, UsageRecord

USAGE = "/admin/allocation/usagerecord/"
ALLOCATIONS = "/admin/allocation/allocation/"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def test_nobody_writes_the_books(as_admin: Client, alice: User, token: APIToken) -> None:
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(4, 5))
    assert "gpt-4" in as_admin.get(USAGE).content.decode()
    assert as_admin.get(f"{USAGE}{record.pk}/change/").status_code == 200
    for path in ("add/", f"{record.pk}/change/", f"{record.pk}/delete/"):
        assert as_admin.post(USAGE + path, {"prompt_tokens": "0"}).status_code == 403
    as_admin.post(USAGE, {"action": "delete_selected", "_selected_action": [str(record.pk)], "post": "yes"})
    assert UsageRecord.objects.filter(pk=record.pk).exists()


def save_allocation(client: Client, path: str, tokens: list[APIToken], **fields: str) -> str:
    """What the page says after it was saved, or why it was not."""
    form = {
        "period": "month",
        "position": "0",
        "chosen-INITIAL_FORMS": "0",
        "chosen-TOTAL_FORMS": str(len(tokens)),
    }
    for number, token in enumerate(tokens):
        form |= {f"chosen-{number}-api_token": str(token.pk), f"chosen-{number}-position": str(number)}
    return html.unescape(client.post(ALLOCATIONS + path, form | fields, follow=True).content.decode())


def test_a_token_is_granted_to_a_person(as_admin: Client, admin: User, alice: User, token: APIToken) -> None:
    fields = {"user": str(alice.pk), "token_limit": "5000", "reason": "She asked"}
    save_allocation(as_admin, "add/", [token], **fields)
    mine = Allocation.objects.get(user=alice)
    assert (mine.tokens, mine.token_limit) == ([token], 5000)
    entry = mine.entries.get()
    assert (entry.kind, entry.actor, entry.reason) == (LedgerEntry.Kind.GRANT, admin, "She asked")


def test_a_second_one_for_everyone_is_refused_in_words(as_admin: Client, token: APIToken) -> None:
    page = save_allocation(as_admin, "add/", [token])
    assert "There is an allocation for everyone already; change that one." in page
    assert Allocation.objects.count() == 1


def test_a_token_that_was_used_cannot_be_deleted(as_admin: Client, alice: User, token: APIToken) -> None:
    metering.reserve(alice, source="chat", model="gpt-4", need=Need(4, 5))
    as_admin.post(f"/admin/allocation/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert APIToken.objects.filter(pk=token.pk).exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"token_limit": "-1"}, "greater than or equal to 0"),
        ({"token_limit": "0"}, "Leave it empty for no limit."),
        ({"token_limit": "9" * 30}, "less than or equal to"),
        ({"token_limit": "many"}, "Enter a whole number."),
        ({"cost_limit": "-0.01"}, "greater than or equal to 0"),
        ({"cost_limit": "NaN"}, "Enter a number."),
        ({"cost_limit": "1e40"}, "Ensure that there are no more than"),
        ({"cost_limit": "0.0000000001"}, "Ensure that there are no more than 9 decimal places."),
        ({"max_n": "6"}, "less than or equal to 5"),
        ({"allowed_models": "no-such-model"}, "no-such-model is not one of the available choices."),
        (
            {"valid_from_0": "2026-12-02", "valid_from_1": "0:00", "valid_until_0": "2026-12-01", "valid_until_1": "0:00"},
            "It has to end after it begins.",
        ),
    ],
)  # fmt: skip
def test_what_nobody_can_be_granted_is_refused_in_words(
    as_admin: Client, alice: User, token: APIToken, fields: dict[str, str], sentence: str
) -> None:
    page = save_allocation(as_admin, "add/", [token], user=str(alice.pk), **fields)
    assert sentence in page
    assert not Allocation.objects.filter(user=alice).exists()


def test_of_two_who_edit_at_once_the_second_is_told(as_admin: Client, alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    both_saw = {"seen_version": str(mine.version)}
    save_allocation(as_admin, f"{mine.pk}/change/", [], token_limit="200", **both_saw)
    page = save_allocation(as_admin, f"{mine.pk}/change/", [], token_limit="300", **both_saw)
    assert "Somebody else has changed this allocation meanwhile." in page
    mine.refresh_from_db()
    assert (mine.token_limit, mine.version) == (200, 1)
