"""What if other terms had been in force? Each example is worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db.models import Q
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, Need, UsageDay, UsageRecord
from webchat.allocation.periods import Period
from webchat.allocation.replay import Call, Reason, Replay, replay, replay_since
from webchat.upstream.wire import Usage

ALICE, BOB = uuid4(), uuid4()
# A Sunday
SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def at(day: int, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def call(
    moment: datetime, tokens: int = 100, *, cost: str = "0", who: UUID = ALICE, model: str = "gpt-4", n: int = 1,
    price: str = "0", ms: int = 0,
) -> Call:  # fmt: skip
    """A tenth of it is the question."""
    question = tokens // 10
    return Call(moment, who, model, n, question, tokens - question, Decimal(cost), Decimal(price), ms)


def run(calls: list[Call], spent: tuple[int, Decimal] = (0, Decimal(0)), **terms: object) -> Replay:
    return replay(calls, Allocation(**terms), since=SINCE, spent=spent)


def test_without_limits_nobody_is_stopped() -> None:
    result = run([call(at(1), cost="0.5"), call(at(2), who=BOB, cost="0.25")])
    assert (result.total.calls, result.total.stopped, result.total.cost) == (2, 0, Decimal("0.75"))
    assert result.people[BOB].cost == Decimal("0.25")


def test_what_no_longer_fits_is_stopped_and_what_is_smaller_still_goes_on() -> None:
    # 100 + 150 of 300; 100 more do not fit, but 50 do; then nothing is left.
    sizes = [100, 150, 100, 50, 10]
    calls = [call(at(3, hour), size, cost="0.01") for hour, size in enumerate(sizes)]
    result = run(calls, token_limit=300)
    alice = result.people[ALICE]
    assert (alice.calls, alice.stopped, alice.saved_tokens) == (5, 2, 110)
    assert alice.saved_cost == Decimal("0.02") and alice.reasons == {Reason.TOKENS: 2}
    assert (alice.first_stopped_at, alice.last_stopped_at) == (at(3, 2), at(3, 4))
    assert result.stopped_on == {date(2026, 11, 3): 2}


@pytest.mark.parametrize(
    ("period", "stopped"),
    [
        # Each call takes 60 of 100: there is room for one. Three too many on the 1st, one on the 2nd, one on the 5th.
        (Period.DAY, 5),
        # Sunday the 1st ends a week: three too many there; from Monday to Thursday three more.
        (Period.WEEK, 6),
        (Period.MONTH, 7),
        (Period.ONCE, 7),
    ],
)
def test_a_period_begins_anew_as_the_calendar_does(period: Period, stopped: int) -> None:
    moments = [at(1, 0), at(1, 1), at(1, 2), at(1, 23, 59, 59), at(2, 0), at(2, 1), at(5, 0), at(5, 23)]
    assert run([call(one, 60) for one in moments], token_limit=100, period=period).total.stopped == stopped


def test_a_month_ends_with_its_last_day() -> None:
    calls = [call(at(30, 23, 59), 100), call(datetime(2026, 12, 1, tzinfo=UTC), 100)]
    assert run(calls, token_limit=100, period=Period.MONTH).total.stopped == 0


def test_days_are_those_of_the_portal(settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    with timezone.override("Asia/Shanghai"):
        # 15:00 and 16:00 in Greenwich: the second one is on the next day in Shanghai.
        result = run([call(at(3, 15), 100), call(at(3, 16), 100)], token_limit=100, period=Period.DAY)
        assert result.total.stopped == 0


def test_money_is_counted_exactly() -> None:
    # Ten times 0.1 are 1, not a hair more.
    calls = [call(at(2, 0, minute), cost="0.1") for minute in range(11)]
    result = run(calls, cost_limit=Decimal(1))
    assert (result.total.stopped, result.people[ALICE].reasons) == (1, {Reason.COST: 1})


def test_what_was_spent_before_counts_until_the_period_ends() -> None:
    calls = [call(at(1), 50), call(at(2), 50)]
    assert run(calls, (80, Decimal(0)), token_limit=100, period=Period.WEEK).total.stopped == 1
    assert run(calls, (80, Decimal(0)), token_limit=100, period=Period.MONTH).total.stopped == 2


def test_a_group_shares_its_budget() -> None:
    calls = [call(at(2, 1), 60), call(at(2, 2), 60, who=BOB), call(at(2, 3), 40)]
    result = run(calls, token_limit=100)
    assert (result.people[ALICE].stopped, result.people[BOB].stopped) == (0, 1)


def test_models_and_answers_are_asked_for_before_the_budget() -> None:
    calls = [
        call(at(2), 900, model="gpt-4"),
        call(at(3), 900, model="cheap", n=3),
        call(at(4), 90, model="cheap"),
    ]
    result = run(calls, token_limit=100, allowed_models=["cheap"], max_n=2)
    assert result.total.reasons == {Reason.MODEL: 1, Reason.ANSWERS: 1}
    assert result.total.saved_tokens == 1800


def test_a_minute_is_any_sixty_seconds_and_each_has_their_own() -> None:
    calls = [
        call(at(2, 0, 0, 0)),
        call(at(2, 0, 0, 30)),
        call(at(2, 0, 0, 31), who=BOB),
        call(at(2, 0, 0, 59)),  # the third within a minute
        call(at(2, 0, 1, 0)),  # the first is a minute old
        call(at(2, 0, 1, 29)),  # that of 0:30 is not
    ]
    result = run(calls, requests_per_minute=2)
    assert result.people[ALICE].reasons == {Reason.PACE: 2}
    assert result.people[ALICE].last_stopped_at == at(2, 0, 1, 29)
    assert result.people[BOB].stopped == 0


def test_answers_at_once_are_those_that_still_run() -> None:
    calls = [
        call(at(2, 0, 0, 0), ms=10_000),
        call(at(2, 0, 0, 5), n=2, ms=10_000),  # with the first it would be three
        call(at(2, 0, 0, 6), ms=10_000),
        call(at(2, 0, 0, 10), ms=10_000),  # the first has just ended
        call(at(2, 0, 0, 11), who=BOB, n=2),
    ]
    result = run(calls, answers_at_once=2)
    assert result.people[ALICE].reasons == {Reason.AT_ONCE: 1} and result.people[BOB].stopped == 0


def test_long_answers_would_have_ended_earlier() -> None:
    # 900 of 1000 tokens are two answers; with at most 300 each, 300 are saved, at 20 a million.
    result = run([call(at(2), 1000, n=2, cost="0.05", price="20")], max_tokens=300)
    alice = result.people[ALICE]
    assert (alice.stopped, alice.shortened, alice.saved_tokens) == (0, 1, 300)
    assert alice.saved_cost == Decimal("0.006")


def test_what_is_shortened_fits_where_it_had_not() -> None:
    calls = [call(at(2, 0), 1000), call(at(2, 1), 1000)]
    assert run(calls, token_limit=1000).total.stopped == 1
    # 100 + 300 each
    assert run(calls, token_limit=1000, max_tokens=300).total.stopped == 0


# What was kept


def spend(user: User, days_ago: int, tokens: int) -> UsageRecord:
    record = metering.reserve(user, source="chat", model="gpt-4", need=Need(1, 1))
    record.created_at = timezone.now() - timedelta(days=days_ago)
    record.save()
    assert metering.settle(record, Spent("complete", Usage(tokens, 0, tokens)))
    return record


def test_the_calls_that_were_made_are_replayed(alice: User, bob: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice)
    for days_ago, tokens in ((4, 60), (3, 60), (2, 30)):
        spend(alice, days_ago, tokens)
    spend(bob, 3, 500)
    metering.reserve(alice, source="chat", model="gpt-4", need=Need(1, 1))  # still runs
    UsageRecord.objects.create(source="probe", model="gpt-4", outcome="complete", user=alice, api_token=token)
    first = timezone.localdate() - timedelta(days=3)
    result = replay_since(first, Q(allocation=mine), Allocation(token_limit=100, period=Period.ONCE))
    # 60 were spent before; 60 more do not fit, 30 do.
    assert (result.total.calls, result.total.stopped, result.total.saved_tokens) == (2, 1, 60)
    assert set(result.people) == {alice.pk}
    assert replay_since(first, Q(user=bob), Allocation(token_limit=499)).total.stopped == 1


def test_what_was_spent_before_with_other_models_does_not_count(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice)
    spend(alice, 2, 60)
    UsageDay.objects.update(model="another")
    spend(alice, 1, 60)
    first = timezone.localdate() - timedelta(days=1)
    terms = Allocation(token_limit=100, period=Period.ONCE)
    assert replay_since(first, Q(allocation=mine), terms).total.stopped == 1
    terms.allowed_models = ["gpt-4"]
    assert replay_since(first, Q(allocation=mine), terms).total.stopped == 0
