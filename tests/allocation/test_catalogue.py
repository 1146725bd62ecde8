"""The list of models is the upstream's own; the document's until it could be asked."""

import logging
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from webchat import background
from webchat.allocation import catalogue
from webchat.allocation.models import APIToken, ModelInfo
from webchat.upstream.wire import Model


def test_before_anything_was_asked_the_document_s_models_are_offered(db: None) -> None:
    names = [model.name for model in catalogue.chat_models()]
    assert names[0] == "gpt-3.5-turbo" and len(names) == 12 and "tts-1" not in names


async def test_opening_the_page_brings_the_upstream_s_list(alice_async: AsyncClient, token: APIToken) -> None:
    # Whether this page has it already, nobody can say: it does not wait.
    await alice_async.get("/conversations/")
    await background.drain(5)
    assert "demo-slow" in (await alice_async.get("/conversations/")).content.decode()
    assert not await ModelInfo.objects.filter(name="whisper-1", kind="chat").aexists()


def test_what_is_gone_is_not_offered_any_more(db: None) -> None:
    catalogue.keep([Model("one", "a", ""), Model("two", "a", "")])
    catalogue.keep([Model("two", "b", ""), Model("three", "b", "")])
    assert [model.name for model in catalogue.chat_models()] == ["two", "three"]
    assert ModelInfo.objects.count() == 3


def test_after_ten_minutes_it_is_asked_again(db: None) -> None:
    assert catalogue.is_stale()
    catalogue.keep([Model("one", "a", "")])
    assert not catalogue.is_stale()
    ModelInfo.objects.update(seen_at=timezone.now() - timedelta(minutes=11))
    assert catalogue.is_stale()


@pytest.mark.parametrize("trouble", ["nobody listens", "the vault is locked"])
async def test_an_upstream_that_cannot_be_asked_leaves_the_list(
    alice_async: AsyncClient,
    token: APIToken,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    if trouble == "nobody listens":
        await APIToken.objects.aupdate(base_url="http://127.0.0.1:9")
    else:
        settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    assert (await alice_async.get("/conversations/")).status_code == 200
    await background.drain(10)
    assert "gpt-4" in (await alice_async.get("/conversations/")).content.decode()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
