"""`UPSTREAM_API_KEY` is imported once, granted to everyone, and follows its address."""

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from webchat.accounts.models import User
from webchat.allocation import environment, vault
from webchat.allocation.models import Allocation, APIToken, ChosenToken

KEY = "sk-from-the-environment-1"
URL = "https://api.example.com/v1"


@pytest.fixture
def configured(db: None, settings: Settings) -> Settings:
    settings.UPSTREAM_API_KEY, settings.UPSTREAM_BASE_URL = KEY, URL
    return settings


def test_it_becomes_a_token_for_everyone(configured: Settings, alice: User) -> None:
    token = environment.import_token()
    assert token is not None and vault.unseal(token.sealed) == KEY and token.base_url == URL
    assert [one.tokens for one in Allocation.objects.open_to(alice)] == [[token]]


def test_started_again_nothing_changes(configured: Settings) -> None:
    first = environment.import_token()
    sealed = APIToken.objects.get().sealed
    assert environment.import_token() == first
    assert APIToken.objects.get().sealed == sealed
    assert (APIToken.objects.count(), Allocation.objects.count()) == (1, 1)


def test_what_an_admin_decided_since_stays(configured: Settings) -> None:
    environment.import_token()
    other = APIToken.objects.all().add("sk-bought-later-1", label="Later", base_url=URL)
    ChosenToken.objects.update(api_token=other)
    APIToken.objects.filter(label="UPSTREAM_API_KEY").update(is_active=False, label="Old")
    environment.import_token()
    assert Allocation.objects.get().tokens == [other]
    assert not APIToken.objects.get(label="Old").is_active


def test_it_follows_its_address(configured: Settings) -> None:
    environment.import_token()
    configured.UPSTREAM_BASE_URL = "http://127.0.0.1:9999"
    token = environment.import_token()
    assert token is not None and token.base_url == "http://127.0.0.1:9999"
    assert APIToken.objects.get().base_url == "http://127.0.0.1:9999"


def test_another_key_becomes_everyone_s(configured: Settings) -> None:
    environment.import_token()
    configured.UPSTREAM_API_KEY = "sk-the-next-one-12"
    token = environment.import_token()
    assert APIToken.objects.count() == 2 and Allocation.objects.get().tokens == [token]


def test_a_key_that_comes_back_is_everyone_s_again(configured: Settings) -> None:
    first = environment.import_token()
    configured.UPSTREAM_API_KEY = "sk-the-next-one-12"
    environment.import_token()
    configured.UPSTREAM_API_KEY = KEY
    environment.import_token()
    assert Allocation.objects.get().tokens == [first]


@pytest.mark.parametrize("missing", ["UPSTREAM_API_KEY", "UPSTREAM_BASE_URL"])
def test_one_without_the_other_is_nothing(configured: Settings, missing: str) -> None:
    setattr(configured, missing, "")
    assert environment.import_token() is None
    assert not APIToken.objects.exists()


def test_a_key_that_is_none_is_refused_without_being_shown(configured: Settings) -> None:
    configured.UPSTREAM_API_KEY = "sk-with a blank"
    with pytest.raises(ValidationError) as refusal:
        environment.import_token()
    assert "sk-with" not in str(refusal.value) and not Allocation.objects.exists()


def test_an_address_that_is_none_is_refused_on_every_start(configured: Settings) -> None:
    environment.import_token()
    configured.UPSTREAM_BASE_URL = "nonsense"
    with pytest.raises(ValidationError):
        environment.import_token()
    assert APIToken.objects.get().base_url == URL
