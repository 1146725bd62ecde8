"""Usage is for reading; allocations are for changing."""

import pytest
from django.test import Client

from tests.conftest import signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.models import Allocation, APIToken, UsageRecord

USAGE = "/admin/allocation/usagerecord/"
ALLOCATIONS = "/admin/allocation/allocation/"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def test_nobody_writes_the_books(as_admin: Client, alice: User, token: APIToken) -> None:
    record = metering.reserve(alice, source="chat", model="gpt-4", most_tokens=9)
    assert "gpt-4" in as_admin.get(USAGE).content.decode()
    assert as_admin.get(f"{USAGE}{record.pk}/change/").status_code == 200
    for path in ("add/", f"{record.pk}/change/", f"{record.pk}/delete/"):
        assert as_admin.post(USAGE + path, {"prompt_tokens": "0"}).status_code == 403
    as_admin.post(USAGE, {"action": "delete_selected", "_selected_action": [str(record.pk)], "post": "yes"})
    assert UsageRecord.objects.filter(pk=record.pk).exists()


def test_a_token_is_granted_to_a_person(as_admin: Client, alice: User, token: APIToken) -> None:
    as_admin.post(f"{ALLOCATIONS}add/", {"user": str(alice.pk), "api_token": str(token.pk)})
    assert Allocation.objects.get(user=alice).api_token == token


def test_a_second_one_for_everyone_is_refused_in_words(as_admin: Client, token: APIToken) -> None:
    html = as_admin.post(f"{ALLOCATIONS}add/", {"user": "", "api_token": str(token.pk)}).content.decode()
    assert "There is an allocation for everyone already; change that one." in html
    assert Allocation.objects.count() == 1


def test_a_token_that_was_used_cannot_be_deleted(as_admin: Client, alice: User, token: APIToken) -> None:
    metering.reserve(alice, source="chat", model="gpt-4", most_tokens=9)
    as_admin.post(f"/admin/allocation/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert APIToken.objects.filter(pk=token.pk).exists()
