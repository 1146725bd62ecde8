"""The demo team is there at once, believable, in books that hold, and only once."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.conftest import signed_in
from webchat import launcher
from webchat.accounts.models import User
from webchat.allocation import environment, metering, proof
from webchat.allocation.models import (
    Allocation,
    APIToken,
    LedgerEntry,
    ModelInfo,
    Need,
    UsageDay,
    UsageRecord,
)
from webchat.backoffice.seed import conversations, people
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer

MODELS = (User, Allocation, APIToken, LedgerEntry, UsageRecord, UsageDay, ModelInfo, Conversation, Message)


@pytest.fixture
def seeded(db: None) -> None:
    call_command("seed_demo", verbosity=0)


def counts() -> list[int]:
    return [model._default_manager.count() for model in MODELS]


def test_the_books_hold_and_a_second_time_changes_nothing(seeded: None) -> None:
    before = counts()
    assert UsageRecord.objects.count() > 2000
    assert list(proof.problems()) == []
    User.objects.filter(username="bob").update(first_name="Robert")
    ModelInfo.objects.filter(name="gpt-4").update(prompt_price=Decimal(7))
    call_command("seed_demo", verbosity=0)
    assert counts() == before
    assert User.objects.get(username="bob").first_name == "Robert"
    assert ModelInfo.objects.get(name="gpt-4").prompt_price == 7


def test_three_sign_in_and_nobody_else(seeded: None, client: Client) -> None:
    for name in ("admin", "alice", "bob"):
        assert client.login(username=name, password="webchat-demo")
    assert {user.username for user in User.objects.all() if user.has_usable_password()} == set(people.SIGN_IN)
    assert User.objects.filter(is_superuser=True).count() == 1
    assert Counter(User.objects.values_list("groups__name", flat=True)) == {
        "Research": 4, "Support": 3, "Product": 3, None: 2,
    }  # fmt: skip


def test_of_each_kind_of_allocation_there_is_one(seeded: None) -> None:
    left = {str(one.holder): one.left for one in Allocation.objects.all()}
    dora, grace = left["dora"].cost, left["grace"].tokens
    assert left["emil"].tokens == 0
    assert dora and 0 < dora <= Decimal("0.48")
    assert grace and 0 < grace <= 36_000
    assert not Allocation.objects.get(user__username="ines").is_in_force
    assert {one.period for one in Allocation.objects.all()} == {"day", "week", "month", "once"}
    assert not [one for one in left.values() if (one.tokens or 0) < 0 or (one.cost or 0) < 0]


def test_usage_is_of_the_last_month_up_to_now(seeded: None) -> None:
    moments = list(UsageRecord.objects.order_by("created_at").values_list("created_at", flat=True))
    now = timezone.now()
    assert timedelta(days=28) < now - moments[0] < timedelta(days=32)
    assert now - timedelta(days=4) < moments[-1] < now
    assert not UsageRecord.objects.running().exists()
    days = UsageDay.objects.between(timezone.localdate() - timedelta(days=31), timezone.localdate())
    assert sum(row["calls_sum"] for row in days.summed_by("user_id")) == len(moments)


def test_alice_and_bob_have_talked(seeded: None) -> None:
    files = len(list(conversations.FILES.glob("*.md")))
    assert Conversation.objects.count() == files >= 5
    for name in ("alice", "bob"):
        person = User.objects.get(username=name)
        browser = signed_in(Client(), person)
        for talk in Conversation.objects.owned_by(person):
            page = browser.get(talk.get_absolute_url()).content.decode()
            answers = talk.messages.answers()
            assert page.count('data-role="assistant" data-state="complete"') == answers.count() > 0
            assert all(answer.usage and answer.usage.user == person for answer in answers)
            assert talk.created_at < timezone.now() - timedelta(hours=20)


@pytest.mark.parametrize("url", ["", "https://api.example.org"])
def test_no_other_upstream_is_asked_with_what_is_made_up(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    settings.UPSTREAM_BASE_URL = url
    monkeypatch.setenv("UPSTREAM_BASE_URL", url)
    call_command("seed_demo", verbosity=0)
    assert APIToken.objects.usable().count() == (0 if url else 1)
    launcher.use_demo_key_for_demo_only()
    assert APIToken.objects.usable().count() == (0 if url else 1)
    # Later the demo is left for another service.
    monkeypatch.setenv("UPSTREAM_BASE_URL", "https://api.example.org")
    launcher.use_demo_key_for_demo_only()
    assert not APIToken.objects.usable().exists()


def test_the_token_of_the_demo_becomes_the_one_of_the_environment(
    seeded: None, settings: Any, upstream: DemoServer
) -> None:
    settings.UPSTREAM_BASE_URL, settings.UPSTREAM_API_KEY = upstream.url, launcher.DEMO_KEY
    environment.import_token()
    token = APIToken.objects.usable().get()
    assert (token.base_url, token.is_imported) == (upstream.url, True)
    alice = User.objects.get(username="alice")
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(prompt_tokens=10))
    assert record.api_token == token and record.allocation == alice.allocations.get()
    # Who has nothing of their own has what is for everyone.
    jonas = User.objects.create_user("newcomer")
    assert (
        metering.reserve(jonas, source="chat", model="gpt-4", need=Need(prompt_tokens=10)).api_token == token
    )
