"""One person with a password, and rate limits that start afresh with each test."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.accounts.browsing import PASSWORD, post_login
from webchat.accounts.models import User


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com", PASSWORD)


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "boss@example.com", PASSWORD)


@pytest.fixture
def sign_in(person: User) -> Callable[..., Client]:
    """A new browser in which the person has signed in through the form."""

    def sign_in(login: str = "alice", password: str = PASSWORD, **extra: str) -> Client:
        browser = Client(**extra)
        answer = post_login(browser, login, password)
        assert answer.status_code == 302, answer.content.decode()
        return browser

    return sign_in
