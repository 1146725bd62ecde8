"""Secrets are sealed with the newest key, opened with any, and brought under a new one by a command."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import AsyncClient
from django.utils.html import escape
from pytest_django import Settings

from tests.chat.asking import begin, last_answer, until_ended
from tests.conftest import SECRET
from webchat.allocation import vault
from webchat.allocation.models import APIToken, UsageRecord
from webchat.allocation.vault import VaultLocked
from webchat.upstream.errors import describe


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_what_is_sealed_can_be_opened_and_not_read() -> None:
    sealed = vault.seal(SECRET)
    assert SECRET not in sealed and sealed != vault.seal(SECRET)
    assert vault.unseal(sealed) == SECRET


def test_nothing_of_a_secret_stands_in_the_database(token: APIToken) -> None:
    row = APIToken.objects.filter(pk=token.pk).values().get()
    assert not any(SECRET in str(value) or SECRET[:-4] in str(value) for value in row.values())
    assert token.last_four == SECRET[-4:] and SECRET[:-4] not in f"{token!r} {token}"


def test_an_older_key_still_opens(settings: Settings) -> None:
    sealed = vault.seal(SECRET)
    settings.VAULT_KEYS = [new_key(), *settings.VAULT_KEYS]
    assert vault.unseal(sealed) == SECRET


def test_after_the_rotation_the_older_key_can_go(token: APIToken, settings: Settings) -> None:
    newest = new_key()
    settings.VAULT_KEYS = [newest, *settings.VAULT_KEYS]
    said = StringIO()
    call_command("rotate_vault", stdout=said)
    assert said.getvalue() == "1 tokens are sealed with the newest key.\n"
    settings.VAULT_KEYS = [newest]
    token.refresh_from_db()
    assert vault.unseal(token.sealed) == SECRET


def test_a_rotation_without_the_right_key_changes_nothing(token: APIToken, settings: Settings) -> None:
    other = new_key()
    with_other_key = Fernet(other).encrypt(b"sk-of-another-vault-123").decode()
    second = APIToken.objects.all().add("sk-second-token-123", label="B", base_url=token.base_url)
    APIToken.objects.filter(pk=second.pk).update(sealed=with_other_key)
    before = sorted(APIToken.objects.values_list("sealed", flat=True))
    settings.VAULT_KEYS = [new_key(), *settings.VAULT_KEYS]
    with pytest.raises(CommandError, match="None of VAULT_KEYS opens one of the tokens. Nothing was changed"):
        call_command("rotate_vault")
    assert sorted(APIToken.objects.values_list("sealed", flat=True)) == before


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", "é"])
def test_what_was_damaged_stays_locked(sealed: str) -> None:
    for open_it in (vault.unseal, vault.reseal):
        with pytest.raises(VaultLocked):
            open_it(sealed)


@pytest.mark.parametrize("keys", [["x"], [""], ["é" * 44], [], [new_key(), "not a key"]])
def test_keys_that_are_none_are_said_so_at_the_start(settings: Settings, keys: list[str]) -> None:
    settings.VAULT_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYS must hold Fernet keys") as refusal:
        vault.check_keys()
    assert "not a key" not in str(refusal.value)


async def test_with_the_wrong_key_an_answer_fails_in_words(
    alice_async: AsyncClient, token: APIToken, settings: Settings
) -> None:
    settings.VAULT_KEYS = [new_key()]
    conversation = await begin(alice_async, "Hello")
    answer = await until_ended(await last_answer(conversation))
    page = (await alice_async.get(conversation.get_absolute_url())).content.decode()
    assert (answer.state, answer.error_code) == ("failed", "bad_secret")
    assert escape(describe("bad_secret", {})) in page and "Try again" in page
    assert (await UsageRecord.objects.aget()).outcome == "failed"
