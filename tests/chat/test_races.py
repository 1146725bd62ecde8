"""The same moment in several threads, as in several processes: the database decides, and only one wins."""

import uuid

import pytest

from tests.at_once import at_once
from tests.chat.history import add, tell
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import APIToken, Need, UsageRecord
from webchat.chat.models import AnswerStillRunning, Conversation, Exchange, Message, Parameters

AT_ONCE = 4


@pytest.mark.parametrize("_round", range(3))
def test_a_first_question_sent_at_once_begins_one_conversation(
    transactional_db: None, alice: User, token: APIToken, _round: int
) -> None:
    client_id = uuid.uuid4()

    def begin(_number: int) -> Exchange:
        return Conversation.objects.begin(
            alice, "Hello", client_id=client_id, parameters=Parameters("gpt-4"), need=Need(4, 5)
        )

    exchanges = at_once(AT_ONCE, begin)
    assert [error for error in exchanges if isinstance(error, Exception)] == []
    assert len({exchange.question.pk for exchange in exchanges}) == 1
    assert sum(exchange.is_new for exchange in exchanges) == 1
    assert (Conversation.objects.count(), Message.objects.count(), UsageRecord.objects.count()) == (1, 2, 1)


def test_the_next_question_sent_at_once_is_one(transactional_db: None, alice: User, token: APIToken) -> None:
    conversation, client_id = tell(alice, "Hello", "Hi"), uuid.uuid4()

    def ask(_number: int) -> Exchange:
        mine = Conversation.objects.get(pk=conversation.pk)
        return mine.ask("More", client_id=client_id, parameters=mine.parameters, need=Need(4, 5))

    exchanges = at_once(AT_ONCE, ask)
    assert [error for error in exchanges if isinstance(error, Exception)] == []
    assert sum(exchange.is_new for exchange in exchanges) == 1
    assert (Message.objects.count(), UsageRecord.objects.count()) == (4, 1)


def test_of_two_tabs_that_ask_one_waits(transactional_db: None, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Hello", "Hi")

    def ask(number: int) -> Exchange:
        mine = Conversation.objects.get(pk=conversation.pk)
        return mine.ask(f"{number}", client_id=uuid.uuid4(), parameters=mine.parameters, need=Need(4, 5))

    outcomes = at_once(AT_ONCE, ask)
    assert [type(outcome) for outcome in outcomes].count(AnswerStillRunning) == AT_ONCE - 1
    assert (Message.objects.count(), UsageRecord.objects.count()) == (4, 1)


def test_of_those_who_end_an_answer_one_does(transactional_db: None, alice: User) -> None:
    conversation = tell(alice, "Hello")
    answer = add(conversation, conversation.leaf, "So far", state="streaming")
    states = ["complete", "stopped", "interrupted", "failed"]
    won = at_once(
        AT_ONCE, lambda number: Message.objects.get(pk=answer.pk).end(states[number], text=states[number])
    )
    assert sorted(won) == [False, False, False, True]
    answer.refresh_from_db()
    assert answer.state == answer.text == states[won.index(True)]


def test_a_call_is_settled_once(transactional_db: None, alice: User, token: APIToken) -> None:
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(4, 5))
    won = at_once(
        AT_ONCE,
        lambda number: metering.settle(
            UsageRecord.objects.get(pk=record.pk), Spent("complete", None, number, number)
        ),
    )
    assert sorted(won) == [False, False, False, True]
    record.refresh_from_db()
    assert record.prompt_tokens == record.completion_tokens == won.index(True)
