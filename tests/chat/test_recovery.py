"""Never stuck: an answer whose process died is ended, with its text, its call settled, and the talk goes on."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.utils import timezone

from tests.chat.asking import ask, begin, last_answer, send, until_ended, until_text
from tests.chat.history import LONG_AGO, lose, tell
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.models import APIToken, Need, UsageRecord
from webchat.chat import recovery
from webchat.chat.models import Conversation, Message


def test_a_lost_answer_is_interrupted_and_its_text_kept(alice: User, token: APIToken) -> None:
    answer = lose(tell(alice, "Tell me a story"), token, "Once upon a time")
    assert recovery.end_lost_answers() == [answer]
    answer.refresh_from_db()
    assert (answer.state, answer.text) == ("interrupted", "Once upon a time") and answer.ended_at


def test_its_call_is_settled_by_an_estimate(alice: User, token: APIToken) -> None:
    lose(tell(alice, "Tell me a story"), token, "Once upon a time")
    recovery.end_lost_answers()
    usage = UsageRecord.objects.get()
    assert (usage.outcome, usage.origin) == ("interrupted", "estimated")
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0 and usage.settled_at


def test_found_twice_it_is_ended_and_settled_once(alice: User, token: APIToken) -> None:
    answer = lose(tell(alice, "Tell me a story"), token, "Once upon a time")
    recovery.end_lost_answers()
    settled_at = UsageRecord.objects.get().settled_at
    Message.objects.filter(pk=answer.pk).update(text="as it was")
    assert recovery.end_lost_answers() == []
    assert UsageRecord.objects.get().settled_at == settled_at
    assert Message.objects.get(pk=answer.pk).text == "as it was"


def test_siblings_of_one_call_are_all_ended(alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Tell me a story")
    question = conversation.leaf
    first = lose(conversation, token, "Once upon a time")
    conversation.leaf = question
    second = lose(conversation, token, "", state="pending", usage=first.usage)
    assert {one.pk for one in recovery.end_lost_answers()} == {first.pk, second.pk}
    assert not Message.objects.running().exists()
    assert UsageRecord.objects.filter(pk=first.usage_id, outcome="interrupted").count() == 1


@pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=10)])
def test_an_answer_of_a_living_process_is_left_alone(alice: User, token: APIToken, age: timedelta) -> None:
    lose(tell(alice, "Tell me a story"), token, "Once", heartbeat_at=timezone.now() - age)
    assert recovery.end_lost_answers() == []
    assert Message.objects.running().count() == 1


def test_opening_the_page_finds_it(as_alice: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Tell me a story")
    answer = lose(conversation, token, "Once **upon** a time")
    html = as_alice.get(conversation.get_absolute_url()).content.decode()
    assert 'data-state="interrupted"' in html and "<strong>upon</strong>" in html
    assert f"/messages/{answer.pk}/continuation/" in html and f"/messages/{answer.pk}/answers/" in html
    assert "The answer was interrupted. What had arrived is kept." in html


async def test_a_page_that_waits_for_it_is_told(
    alice_async: AsyncClient, alice: User, slow: str, token: APIToken
) -> None:
    conversation = await _told(alice, token, heartbeat_at=timezone.now())
    async with Tab(alice_async, conversation) as tab:
        assert tab.page.states()[-1] == "streaming"
        await Message.objects.running().aupdate(heartbeat_at=timezone.now() - LONG_AGO)
        await tab.until(lambda tab: tab.page.states()[-1] == "interrupted", seconds=10)
        assert tab.page.texts()[-1] == "Once upon a time"


async def test_the_next_question_is_taken(alice_async: AsyncClient, alice: User, token: APIToken) -> None:
    conversation = await _told(alice, token)
    answer = await until_ended(await ask(alice_async, conversation, "Say this is a test!", model="gpt-4"))
    assert answer.text == "This is a test!"
    assert await conversation.messages.filter(state="interrupted", text="Once upon a time").acount() == 1


async def test_it_can_be_continued(alice_async: AsyncClient, alice: User, token: APIToken) -> None:
    conversation = await _told(alice, token)
    await alice_async.get(conversation.get_absolute_url())
    broken = await last_answer(conversation)
    assert (await send(alice_async, f"/messages/{broken.pk}/continuation/")).status_code == 303
    answer = await until_ended(await last_answer(conversation))
    assert answer.state == "complete" and answer.text.startswith("Once upon a time")


async def test_an_answer_that_runs_here_is_not_lost_however_old_its_sign_of_life(
    alice_async: AsyncClient, slow: str
) -> None:
    conversation = await begin(alice_async, "Count to 60", model="gpt-4@5ms")
    answer = await until_text(await last_answer(conversation), 10)
    await Message.objects.filter(pk=answer.pk).aupdate(heartbeat_at=timezone.now() - LONG_AGO)
    assert (await alice_async.get(conversation.get_absolute_url())).status_code == 200
    assert (await until_ended(answer)).state == "complete"


@sync_to_async
def _told(alice: User, token: APIToken, **fields: Any) -> Conversation:
    conversation = tell(alice, "Tell me a story")
    lose(conversation, token, "Once upon a time", **fields)
    return conversation


def test_a_call_without_an_answer_is_settled_too(alice: User, token: APIToken) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    lost = metering.reserve(alice, source=UsageRecord.Source.TITLE, model="gpt-4", need=Need(4, 6))
    UsageRecord.objects.update(created_at=long_ago)
    fresh = metering.reserve(alice, source=UsageRecord.Source.TITLE, model="gpt-4", need=Need(4, 6))
    recovery.settle_lost_calls()
    outcomes = dict(UsageRecord.objects.values_list("pk", "outcome"))
    assert outcomes == {lost.pk: "interrupted", fresh.pk: "reserved"}


def test_who_had_to_wait_for_the_database_ends_nobody(
    transactional_db: None, alice: User, token: APIToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process may be alive, and have waited for the same lock to say so."""
    lose(tell(alice, "Tell me a story"), token, "Once upon a time")
    monkeypatch.setattr(recovery, "MOST_SECONDS_FOR_A_LOCK", -1)
    assert recovery.end_lost_answers() == []
    assert Message.objects.running().exists()
