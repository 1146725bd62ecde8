"""The list of models is the upstream's own; the document's until it could be asked."""

import logging
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from tests.allocation.small_upstream import SmallUpstream
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
    changes = catalogue.keep([Model("two", "b", ""), Model("three", "b", "")])
    assert changes == catalogue.Changes(new=["three"], gone=["one"], count=2)
    assert [model.name for model in catalogue.chat_models()] == ["two", "three"]
    assert ModelInfo.objects.filter(name__in=["one", "gpt-4"], is_available=False).count() == 2
    assert catalogue.keep([Model("one", "a", "")]) == catalogue.Changes(["one"], ["two", "three"], 1)


def test_the_document_s_models_are_there_with_what_it_says_of_them(db: None) -> None:
    kinds = Counter(ModelInfo.objects.filter(seen_at=None).values_list("kind", flat=True))
    assert kinds == {"chat": 12, "speech": 2, "transcription": 1, "image": 1}
    gpt, claude, bing = (
        ModelInfo.objects.get(name=name) for name in ("gpt-4-vision-preview", "claude-2.1", "bing")
    )
    assert (gpt.has_vision, claude.has_vision, claude.context_length) == (True, False, 200_000)
    assert claude.has_system_role and not bing.has_system_role and bing.prices["prompt_price"] == 0


def test_what_an_admin_has_set_stays(db: None) -> None:
    said = {
        "label": "Seer", "kind": "chat", "context_length": 77, "prompt_price": Decimal("1.5"), "is_enabled": False,
        "has_vision": True, "has_system_role": False, "max_n": 2, "temperature_low": 0.5,
    }  # fmt: skip
    ModelInfo.objects.filter(name="dall-e-3").update(**said)
    catalogue.keep([Model("gpt-4", "a", ""), Model("dall-e-3", "Another owner", "")])
    kept = ModelInfo.objects.get(name="dall-e-3")
    assert {name: getattr(kept, name) for name in said} == said
    assert (kept.owned_by, kept.position, kept.is_available) == ("Another owner", 1, True)


def test_what_no_document_names_is_known_by_its_name(db: None) -> None:
    catalogue.keep([Model("gpt-4o-transcribe", "a", ""), Model("unheard-of", "b", "")])
    hearing, unheard = ModelInfo.objects.filter(is_available=True)
    assert (hearing.kind, unheard.kind, unheard.context_length) == ("transcription", "chat", None)
    assert unheard.has_vision and not hearing.has_vision
    assert ModelInfo.find("never-listed").room == unheard.room == 10**7


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"temperature_low": 0.7, "temperature_high": 0.2}, "temperature_high"),
        ({"temperature_low": -0.1}, "temperature_low"),
        ({"temperature_high": 1.1}, "temperature_high"),
        ({"one_answer_below": float("inf")}, "one_answer_below"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_n": 6}, "max_n"),
        ({"context_length": 0}, "context_length"),
        ({"prompt_price": Decimal("-0.01")}, "prompt_price"),
        ({"image_price": Decimal(10**10)}, "image_price"),
        ({"kind": "video"}, "kind"),
    ],
)
def test_rules_and_prices_that_cannot_be(db: None, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ModelInfo(**{"name": "new", "kind": "chat", **fields}).full_clean()
    assert list(refusal.value.message_dict) == [wrong]


async def test_an_upstream_that_lists_nothing_leaves_the_list(
    alice_async: AsyncClient, token: APIToken, small_upstream: SmallUpstream
) -> None:
    """Or nobody could ask anything any more."""
    small_upstream.models = []
    token.base_url = small_upstream.url
    assert not await catalogue.refresh_with(token)
    assert await ModelInfo.objects.offered().acount() == 16


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
