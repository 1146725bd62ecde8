"""Whose token pays? A person's own, else everyone's, else nobody's; reserved before a call, settled once after it."""

import pytest
from django.core.exceptions import ValidationError
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, offer, until_ended
from webchat import background
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, Need, UsageRecord
from webchat.allocation.refusals import NothingAllocated
from webchat.demo.server import DemoServer
from webchat.upstream.wire import Usage

OWN = "sk-of-alice-alone-1"


@pytest.fixture
def own(alice: User, token: APIToken) -> APIToken:
    own = APIToken.objects.all().add(OWN, label="Alice's", base_url=token.base_url)
    Allocation.objects.grant(user=alice, tokens=[own])
    return own


def reserve(user: User) -> UsageRecord:
    return metering.reserve(user, source="chat", model="gpt-4", need=Need(40, 60))


def test_one_s_own_comes_before_everyone_s(alice: User, bob: User, token: APIToken, own: APIToken) -> None:
    assert (reserve(alice).api_token, reserve(bob).api_token) == (own, token)


def test_when_it_is_out_of_use_everyone_s_does(alice: User, token: APIToken, own: APIToken) -> None:
    APIToken.objects.filter(pk=own.pk).update(is_active=False)
    assert reserve(alice).api_token == token


def test_somebody_else_s_is_nobody_s_business(alice: User, bob: User, own: APIToken) -> None:
    Allocation.objects.get(user=None).revoke(actor=None)
    with pytest.raises(NothingAllocated):
        reserve(bob)
    assert UsageRecord.objects.count() == 0


def test_there_is_one_allocation_for_everyone(token: APIToken) -> None:
    with pytest.raises(
        ValidationError, match="There is an allocation for everyone already; change that one."
    ):
        Allocation().full_clean()


def test_what_is_reserved_is_not_yet_spent(alice: User, token: APIToken) -> None:
    record = reserve(alice)
    assert (record.outcome, record.reserved_tokens, record.total_tokens) == ("reserved", 100, 0)
    assert record.settled_at is None


def test_reported_numbers_count_before_estimates(alice: User, token: APIToken) -> None:
    record = reserve(alice)
    reported = Usage(prompt_tokens=7, completion_tokens=5, total_tokens=12)
    assert metering.settle(record, Spent("complete", reported, 70, 50))
    record.refresh_from_db()
    assert (record.prompt_tokens, record.completion_tokens, record.origin) == (7, 5, "reported")


def test_the_second_settlement_changes_nothing(alice: User, token: APIToken) -> None:
    record = reserve(alice)
    assert metering.settle(record, Spent("stopped", None, 3, 4))
    before = UsageRecord.objects.values().get()
    assert not metering.settle(record, Spent("complete", None, 300, 400))
    assert UsageRecord.objects.values().get() == before
    assert (before["outcome"], before["origin"], before["prompt_tokens"]) == ("stopped", "estimated", 3)


async def test_the_call_is_made_with_the_token_that_pays(
    alice_async: AsyncClient, own: APIToken, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "Hello")
    await until_ended(await last_answer(conversation))
    asked = next(request for request in upstream.requests if request.path.endswith("/chat/completions"))
    assert asked.headers["authorization"] == f"Bearer {OWN}"


async def test_a_refused_token_is_noted_for_the_admins(
    alice_async: AsyncClient, token: APIToken, own: APIToken
) -> None:
    await offer("fault-F01")
    conversation = await begin(alice_async, "Hello", model="fault-F01")
    answer = await until_ended(await last_answer(conversation))
    assert (answer.state, answer.error_code) == ("failed", "token_refused")
    await background.drain(5)
    await own.arefresh_from_db()
    assert own.last_error == "token_refused" and own.last_error_at
    await token.arefresh_from_db()
    assert token.last_error == ""
