"""However many ask at once, no more are admitted than the budget is for; whatever becomes of them, the books are right."""

import random
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group

from tests.at_once import at_once
from webchat.accounts.models import User
from webchat.allocation import metering, proof
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, ModelInfo, Need, UsageRecord
from webchat.allocation.refusals import NothingLeft, TooManyAtOnce, TooManyRequests
from webchat.upstream.wire import Usage

PEOPLE_AT_ONCE = 16
NEED = Need(prompt_tokens=40, max_tokens=60)


@pytest.fixture
def team(transactional_db: None, alice: User, bob: User, token: APIToken) -> Group:
    group = Group.objects.create(name="Research")
    group.user_set.add(alice, bob)
    ModelInfo.objects.update_or_create(
        name="gpt-4", defaults={"kind": "chat", "prompt_price": Decimal(10), "completion_price": Decimal(30)}
    )
    return group


def ask(user: User) -> UsageRecord:
    return metering.reserve(user, source="chat", model="gpt-4", need=NEED)


def admitted(outcomes: list[UsageRecord | Exception], refusal: type[Exception]) -> list[UsageRecord]:
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert [one for one in refused if not isinstance(one, refusal)] == []
    return [one for one in outcomes if isinstance(one, UsageRecord)]


@pytest.mark.parametrize("limits", [{"token_limit": 5 * 100 + 99}, {"cost_limit": Decimal("0.0022") * 5}])
def test_a_budget_for_five_admits_five(
    team: Group, alice: User, bob: User, limits: dict[str, object]
) -> None:
    shared = Allocation.objects.grant(group=team, **limits)
    outcomes = at_once(PEOPLE_AT_ONCE, lambda number: ask((alice, bob)[number % 2]))
    assert len(admitted(outcomes, NothingLeft)) == 5
    shared.refresh_from_db()
    assert (shared.reserved_tokens, UsageRecord.objects.count()) == (500, 5)
    assert list(proof.problems()) == []


def test_nor_more_when_a_period_begins_at_that_moment(team: Group, alice: User, bob: User) -> None:
    shared = Allocation.objects.grant(group=team, token_limit=500)
    record = ask(alice)
    metering.settle(record, Spent("complete", Usage(400, 100, 500)))
    Allocation.objects.filter(pk=shared.pk).update(period_began="2020-01-01")
    outcomes = at_once(PEOPLE_AT_ONCE, lambda number: ask((alice, bob)[number % 2]))
    assert len(admitted(outcomes, NothingLeft)) == 5
    assert list(proof.problems()) == []


def test_two_answers_at_once_are_two(team: Group, alice: User) -> None:
    Allocation.objects.grant(group=team, answers_at_once=2)
    assert len(admitted(at_once(PEOPLE_AT_ONCE, lambda _number: ask(alice)), TooManyAtOnce)) == 2
    assert list(proof.problems()) == []


def test_three_requests_a_minute_are_three(team: Group, alice: User) -> None:
    Allocation.objects.grant(group=team, requests_per_minute=3)
    assert len(admitted(at_once(PEOPLE_AT_ONCE, lambda _number: ask(alice)), TooManyRequests)) == 3
    assert list(proof.problems()) == []


def test_whatever_becomes_of_them_what_was_not_spent_is_there_again(
    team: Group, alice: User, bob: User
) -> None:
    """Complete, stopped, failed and settled twice, all at once, round after round, until it is used up."""
    shared = Allocation.objects.grant(group=team, token_limit=3000, cost_limit=Decimal(1))
    seeds = random.Random(7)

    def use(number: int) -> int:
        dice = random.Random(seeds.random())
        record = ask((alice, bob)[number % 2])
        took = dice.choice([0, 17, 100])
        usage = Usage(min(took, 40), max(took - 40, 0), took) if dice.random() < 0.5 else None
        spent = Spent(dice.choice(["complete", "stopped", "failed"]), usage, min(took, 40), max(took - 40, 0))
        settled = [metering.settle(UsageRecord.objects.get(pk=record.pk), spent) for _twice in range(2)]
        assert settled == [True, False]
        return took

    took = [one for _round in range(6) for one in at_once(PEOPLE_AT_ONCE, use)]
    spent = sum(one for one in took if not isinstance(one, Exception))
    assert {type(one) for one in took} <= {int, NothingLeft}
    shared.refresh_from_db()
    assert (shared.reserved_tokens, shared.spent_tokens) == (0, spent) and 0 < spent <= 3000
    assert list(proof.problems()) == []
