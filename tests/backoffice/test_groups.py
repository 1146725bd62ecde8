"""Groups: whom an allocation can be granted to together. They give no permissions."""

import uuid

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.backoffice.reading import text_of
from tests.conftest import signed_in
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken

GROUPS = "/admin/auth/group/"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def test_a_group_has_a_name_and_members(as_admin: Client, alice: User, bob: User) -> None:
    as_admin.post(f"{GROUPS}add/", {"name": "Research", "members": [alice.pk, bob.pk]})
    group = Group.objects.get(name="Research")
    assert set(group.user_set.all()) == {alice, bob}
    as_admin.post(f"{GROUPS}{group.pk}/change/", {"name": "Sales", "members": [bob.pk]})
    group.refresh_from_db()
    assert group.name == "Sales" and set(group.user_set.all()) == {bob}
    assert "Sales 1" in text_of(as_admin.get(GROUPS))
    assert "permissions" not in as_admin.get(f"{GROUPS}{group.pk}/change/").content.decode()


def test_somebody_who_is_not_there_is_no_member(as_admin: Client) -> None:
    for member in (uuid.uuid4(), "nobody"):
        assert as_admin.post(f"{GROUPS}add/", {"name": "Research", "members": [member]}).status_code == 200
    assert not Group.objects.exists()


def test_what_is_granted_to_a_group_is_open_to_its_members(
    as_admin: Client, alice: User, bob: User, token: APIToken
) -> None:
    as_admin.post(f"{GROUPS}add/", {"name": "Research", "members": [alice.pk]})
    theirs = Allocation.objects.grant(group=Group.objects.get())
    assert Allocation.objects.open_to(alice) == [theirs]
    assert theirs not in Allocation.objects.open_to(bob)


def test_a_group_with_an_allocation_is_not_deleted(as_admin: Client, token: APIToken) -> None:
    group = Group.objects.create(name="Research")
    Allocation.objects.grant(group=group)
    as_admin.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"})
    assert Group.objects.exists()


def test_only_admins_may(as_alice: Client) -> None:
    assert "/login/" in as_alice.post(f"{GROUPS}add/", {"name": "Mine"})["Location"]
    assert not Group.objects.exists()
