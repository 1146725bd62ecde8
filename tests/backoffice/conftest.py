"""One browser for each role."""

import pytest
from django.test import Client

from tests.conftest import signed_in
from webchat.accounts.models import Role, User


@pytest.fixture
def staff(admin: User, alice: User) -> dict[str, User]:
    """Somebody with each role; the member is Alice."""
    create = User.objects.create_user
    return {
        "owner": admin,
        "allocator": create("allocator", "allocator@example.org", role=Role.ALLOCATOR),
        "auditor": create("auditor", "auditor@example.org", role=Role.AUDITOR),
        "member": alice,
    }


@pytest.fixture
def browsers(staff: dict[str, User]) -> dict[str, Client]:
    return {role: signed_in(Client(), person) for role, person in staff.items()}


@pytest.fixture
def as_owner(browsers: dict[str, Client]) -> Client:
    return browsers["owner"]
