"""The cast: Alice owns, Bob is a teammate, Charlie is a stranger, and there is an admin. And the upstream."""

from collections.abc import AsyncIterator, Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import AsyncClient, Client
from pytest_django import DjangoDbBlocker

from tests.allocation.small_upstream import SmallUpstream
from webchat import background
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken
from webchat.demo.server import DemoServer
from webchat.upstream.pools import close_pools

SECRET = "sk-test-canary-2f9b61c07d"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """On SQLite, tests that commit are tidied up by deleting rows, which the audit trail refuses."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS accounts_auditevent_no_delete")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have what migrations brought, as the document's models, also after tests whose rows can't be rolled back."""
    for item in items:
        marker, names = item.get_closest_marker("django_db"), getattr(item, "fixturenames", [])
        if "transactional_db" in names or (marker and marker.kwargs.get("transaction")):
            names.append("django_db_serialized_rollback")


@pytest.fixture(autouse=True)
def _forget_rate_limits() -> None:
    cache.clear()


@pytest.fixture(scope="session")
def demo_upstream() -> Iterator[DemoServer]:
    with DemoServer.in_thread() as server:
        yield server


@pytest.fixture
def upstream(demo_upstream: DemoServer) -> DemoServer:
    """The demo upstream, which remembers what it was asked in this test."""
    demo_upstream.clear()
    return demo_upstream


@pytest.fixture
def small_upstream() -> Iterator[SmallUpstream]:
    with SmallUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.org", "correct horse battery")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.org", "correct horse battery")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie", "charlie@example.org", "correct horse battery")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin", "admin@example.org", "correct horse battery")


@pytest.fixture
def token(db: None, upstream: DemoServer) -> APIToken:
    """The upstream's token, for everyone to use."""
    token = APIToken.objects.all().add(SECRET, label="Team", base_url=upstream.url)
    Allocation.objects.grant(tokens=[token])
    return token


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(Client(), alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(Client(), bob)


@pytest.fixture
async def alice_async(transactional_db: None, alice: User) -> AsyncIterator[AsyncClient]:
    """Alice's browser in an event loop of the portal, in which answers come about; it is drained after the test."""
    client = AsyncClient()
    await client.aforce_login(alice)
    yield client
    await background.drain(5, cancel=True)
    await close_pools()


def as_role(person: User, role: str) -> Client:
    """A browser of this person, who has this role from now on."""
    person.take_role(role)
    person.save()
    return signed_in(Client(), person)


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person)
    return client
