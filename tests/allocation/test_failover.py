"""A token that the upstream refuses is passed over for the next before the first word; only the admins hear of it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from tests.chat.asking import ask, begin, last_answer, until_ended
from webchat import background
from webchat.accounts.models import User
from webchat.allocation import proof
from webchat.allocation.models import Allocation, APIToken, UsageRecord
from webchat.background import in_database
from webchat.chat.models import Message
from webchat.demo.server import DemoServer

# The demo upstream does with each what it says.
REFUSALS = {
    "sk-is-refused-1": "token_refused",
    "sk-has-nocredit": "no_credit",
    "sk-is-forbidden": "forbidden",
    "sk-is-limited-1": "rate_limited",
}


def buy(secret: str, upstream: DemoServer) -> APIToken:
    return APIToken.objects.all().add(secret, label=secret[3:], base_url=upstream.url)


async def answered(client: AsyncClient) -> Message:
    conversation = await begin(client, "Hello")
    answer = await until_ended(await last_answer(conversation))
    await background.drain(5)
    return answer


def secrets_asked(upstream: DemoServer) -> list[str]:
    asked = [request for request in upstream.requests if request.path.endswith("/chat/completions")]
    return [request.headers["authorization"].removeprefix("Bearer ") for request in asked]


@pytest.mark.parametrize(("secret", "code"), REFUSALS.items())
async def test_the_next_token_answers_at_once(
    alice_async: AsyncClient, alice: User, admin: User, token: APIToken, upstream: DemoServer, settings: Settings,
    secret: str, code: str,
) -> None:  # fmt: skip
    settings.MAIL_CONFIGURED = True
    bad = await in_database(buy, secret, upstream)
    mine = await in_database(Allocation.objects.grant, user=alice, tokens=[bad, token], token_limit=50_000)
    answer = await answered(alice_async)
    assert (answer.state, answer.error_code) == ("complete", "")
    await bad.arefresh_from_db()
    assert bad.last_error == code and bad.retry_at and bad.retry_at > timezone.now()
    # One record for each call, and the answer's is that of the one that answered.
    records = UsageRecord.objects.filter(source="chat").order_by("created_at")
    told = [row async for row in records.values_list("api_token", "outcome", "error_code", "reserved_tokens")]
    assert told[0][:3] == (bad.pk, "failed", code) and told[1][:3] == (token.pk, "complete", "")
    assert answer.usage and answer.usage.api_token_id == token.pk
    await mine.arefresh_from_db()
    assert mine.reserved_tokens == 0 and await in_database(lambda: list(proof.problems())) == []
    # Over by itself is nobody's trouble; the rest is told once.
    assert len(mail.outbox) == (0 if code == "rate_limited" else 1)
    upstream.clear()
    await answered(alice_async)
    assert secret not in secrets_asked(upstream) and len(mail.outbox) <= 1


async def test_one_allocation_is_passed_over_for_another(
    alice_async: AsyncClient, alice: User, token: APIToken, upstream: DemoServer
) -> None:
    bad = await in_database(buy, "sk-is-refused-1", upstream)
    first = await in_database(
        Allocation.objects.grant, user=alice, tokens=[bad], token_limit=9000, position=1
    )
    second = await in_database(
        Allocation.objects.grant, user=alice, tokens=[token], token_limit=9000, position=2
    )
    answer = await answered(alice_async)
    assert answer.state == "complete" and answer.usage and answer.usage.allocation_id == second.pk
    await first.arefresh_from_db()
    assert (first.reserved_tokens, first.spent_tokens) == (0, 0)
    assert await in_database(lambda: list(proof.problems())) == []


async def test_with_no_other_that_has_enough_left_the_reason_is_said(
    alice_async: AsyncClient, alice: User, token: APIToken, upstream: DemoServer
) -> None:
    bad = await in_database(buy, "sk-is-refused-1", upstream)
    await in_database(Allocation.objects.grant, user=alice, tokens=[bad], token_limit=9000, position=1)
    await in_database(Allocation.objects.grant, user=alice, tokens=[token], token_limit=1, position=2)
    answer = await answered(alice_async)
    assert (answer.state, answer.error_code) == ("failed", "token_refused")
    assert await UsageRecord.objects.filter(source="chat").acount() == 1
    assert await in_database(lambda: list(proof.problems())) == []


async def test_all_of_them_refused_the_last_reason_is_said(
    alice_async: AsyncClient, alice: User, token: APIToken, upstream: DemoServer
) -> None:
    bad = [await in_database(buy, secret, upstream) for secret in ("sk-is-refused-1", "sk-has-nocredit")]
    await in_database(Allocation.objects.grant, user=alice, tokens=bad)
    answer = await answered(alice_async)
    assert (answer.state, answer.error_code) == ("failed", "no_credit")
    assert secrets_asked(upstream) == ["sk-is-refused-1", "sk-has-nocredit"]
    assert await in_database(lambda: list(proof.problems())) == []


async def test_in_trouble_it_comes_last_and_a_limited_one_comes_back_in_time(
    alice_async: AsyncClient, alice: User, token: APIToken, upstream: DemoServer
) -> None:
    other = await in_database(buy, "sk-is-good-as-well", upstream)
    mine = await in_database(Allocation.objects.grant, user=alice, tokens=[other, token])
    await in_database(other.note_refusal, "rate_limited", 30)
    fresh = await Allocation.objects.prefetch_related("chosen__api_token").aget(pk=mine.pk)
    assert await in_database(lambda: fresh.tokens) == [token, other]
    await APIToken.objects.filter(pk=other.pk).aupdate(retry_at=timezone.now() - timedelta(seconds=1))
    assert await in_database(lambda: Allocation.objects.get(pk=mine.pk).tokens) == [other, token]


async def test_n_answers_go_on_with_the_next_token_together(
    alice_async: AsyncClient, alice: User, token: APIToken, upstream: DemoServer
) -> None:
    bad = await in_database(buy, "sk-is-refused-1", upstream)
    await in_database(Allocation.objects.grant, user=alice, tokens=[bad, token], token_limit=60_000)
    conversation = await begin(alice_async, "Hello", n="3", temperature="0.7")
    await until_ended(await last_answer(conversation))
    await background.drain(5)
    answers = [row async for row in conversation.messages.answers().select_related("usage")]
    assert [answer.state for answer in answers] == ["complete"] * 3
    assert {answer.usage and answer.usage.api_token_id for answer in answers} == {token.pk}
    await until_ended(await ask(alice_async, conversation, "And now?", n="1"))
