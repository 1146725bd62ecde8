"""How much may be spent: limits in tokens and in money, for a period, with terms; and what is said when it is too much."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation import metering, refusals
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, Need, UsageRecord
from webchat.allocation.periods import Period
from webchat.upstream.wire import Usage

NEED = Need(prompt_tokens=40, max_tokens=60)


def reserve(user: User, need: Need = NEED, model: str = "gpt-4") -> UsageRecord:
    return metering.reserve(user, source="chat", model=model, need=need)


def settle(record: UsageRecord, prompt_tokens: int, completion_tokens: int) -> None:
    usage = Usage(prompt_tokens, completion_tokens, prompt_tokens + completion_tokens)
    assert metering.settle(record, Spent("complete", usage))


def sums(allocation: Allocation) -> tuple[int, int, Decimal, Decimal]:
    allocation.refresh_from_db()
    return (
        allocation.reserved_tokens, allocation.spent_tokens, allocation.reserved_cost, allocation.spent_cost,
    )  # fmt: skip


@pytest.fixture
def priced(db: None) -> ModelInfo:
    prices = {"prompt_price": Decimal("10"), "completion_price": Decimal("30")}
    return ModelInfo.objects.update_or_create(name="gpt-4", defaults={"kind": "chat", **prices})[0]


def test_what_is_reserved_is_given_back_and_what_was_spent_is_booked(
    alice: User, token: APIToken, priced: ModelInfo
) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=1000, cost_limit=Decimal(1))
    record = reserve(alice)
    assert sums(mine) == (100, 0, Decimal("0.0022"), 0)
    settle(record, 30, 20)
    assert sums(mine) == (0, 50, 0, Decimal("0.0009"))
    kinds = list(mine.entries.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["grant", "reserve", "settle"]


def test_several_answers_reserve_as_often(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=300)
    reserve(alice, Need(prompt_tokens=40, max_tokens=60, n=3))
    assert sums(mine)[0] == 300


def test_what_does_not_fit_any_more_is_refused_with_what_is_left(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=150)
    reserve(alice)
    with pytest.raises(refusals.NothingLeft) as refused:
        reserve(alice)
    assert "50 tokens are left" in str(refused.value)
    assert sums(mine)[0] == 100 and UsageRecord.objects.count() == 1


def test_when_all_is_spent_the_day_of_renewal_is_said(alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=50, period=Period.WEEK)
    settle(reserve(alice, Need(10, 40)), 10, 40)
    with pytest.raises(refusals.NothingLeft, match="Your allocation is used up. It is renewed on"):
        reserve(alice)


def test_money_limits_as_well(alice: User, token: APIToken, priced: ModelInfo) -> None:
    mine = Allocation.objects.grant(user=alice, cost_limit=Decimal("0.005"))
    reserve(alice)
    reserve(alice)
    with pytest.raises(refusals.NothingLeft, match="0.00060 USD is left"):
        reserve(alice)
    assert sums(mine)[2] == Decimal("0.0044")


def test_the_price_is_that_of_the_moment_of_asking(alice: User, token: APIToken, priced: ModelInfo) -> None:
    record = reserve(alice)
    ModelInfo.objects.update(prompt_price=Decimal(999), completion_price=Decimal(999))
    settle(UsageRecord.objects.get(pk=record.pk), 100_000, 0)
    assert UsageRecord.objects.get().spent_cost == Decimal(1)


def test_an_answer_without_a_length_is_as_long_as_what_is_left(alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=1000)
    record = reserve(alice, Need(prompt_tokens=40, room=8000))
    assert (record.max_tokens, record.reserved_tokens) == (960, 1000)


def test_but_not_too_short_to_be_of_use(alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=200)
    with pytest.raises(refusals.NothingLeft, match="200 tokens are left"):
        reserve(alice, Need(prompt_tokens=40, room=8000))


def test_without_any_limit_the_length_is_the_upstream_s_business(alice: User, token: APIToken) -> None:
    assert reserve(alice, Need(prompt_tokens=40, room=8000)).max_tokens is None


def test_a_group_shares_what_it_was_granted(alice: User, bob: User, token: APIToken) -> None:
    team = Group.objects.create(name="Research")
    team.user_set.add(alice, bob)
    shared = Allocation.objects.grant(group=team, token_limit=150)
    reserve(alice)
    with pytest.raises(refusals.NothingLeft):
        reserve(bob)
    assert sums(shared)[0] == 100


def test_several_are_tried_in_order(alice: User, token: APIToken) -> None:
    second = Allocation.objects.grant(user=alice, token_limit=100, position=2)
    first = Allocation.objects.grant(user=alice, token_limit=100, position=1)
    assert [reserve(alice).allocation, reserve(alice).allocation] == [first, second]
    with pytest.raises(refusals.NothingLeft):
        reserve(alice)


def test_everyone_s_is_not_for_those_who_have_used_up_their_own(alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=10)
    with pytest.raises(refusals.NothingLeft):
        reserve(alice)


@pytest.mark.parametrize(
    ("terms", "need", "sentence"),
    [
        (
            {"allowed_models": ["qwen-plus"]},
            NEED,
            "not for the model “gpt-4”. Choose one of these: qwen-plus.",
        ),
        ({"max_n": 2}, Need(1, 1, n=3), "at most 2 answers at a time. Lower n."),
        ({"max_tokens": 50}, NEED, "at most 50 tokens. Lower max_tokens."),
        ({"valid_until": timezone.now() - timedelta(days=1)}, NEED, "Your allocation ended on"),
        ({"valid_from": timezone.now() + timedelta(days=1)}, NEED, "Your allocation begins on"),
    ],
)
def test_what_was_not_granted_is_refused_in_words(
    alice: User, token: APIToken, terms: dict[str, object], need: Need, sentence: str
) -> None:
    Allocation.objects.get().revoke(actor=None)
    Allocation.objects.grant(user=alice, **terms)
    with pytest.raises(refusals.Refused, match=sentence):
        reserve(alice, need)


def test_requests_a_minute_are_counted_for_each_person(alice: User, bob: User, token: APIToken) -> None:
    Allocation.objects.update(requests_per_minute=2)
    reserve(alice), reserve(alice), reserve(bob)
    with pytest.raises(refusals.TooManyRequests, match="2 requests a minute. Try again in 60 s."):
        reserve(alice)
    assert sums(Allocation.objects.get())[0] == 300
    UsageRecord.objects.filter(user=alice).update(created_at=timezone.now() - timedelta(seconds=61))
    reserve(alice)


def test_answers_at_once_are_counted_for_each_person(alice: User, bob: User, token: APIToken) -> None:
    Allocation.objects.update(answers_at_once=2)
    running = reserve(alice, Need(1, 1, n=2))
    reserve(bob)
    with pytest.raises(refusals.TooManyAtOnce, match="2 answers at once"):
        reserve(alice)
    settle(running, 1, 2)
    reserve(alice)


def test_a_title_is_no_request_of_theirs(alice: User, token: APIToken) -> None:
    Allocation.objects.update(requests_per_minute=1, answers_at_once=1)
    for source in ("title", "chat", "title"):
        metering.reserve(alice, source=source, model="gpt-4", need=NEED)
    with pytest.raises(refusals.Refused):
        reserve(alice)


def test_revoked_is_revoked_at_the_next_call_and_what_runs_is_settled(alice: User, token: APIToken) -> None:
    Allocation.objects.get().revoke(actor=None)
    mine = Allocation.objects.grant(user=alice, token_limit=1000)
    running = reserve(alice)
    assert mine.revoke(actor=None, reason="Left the team") and not mine.revoke(actor=None)
    with pytest.raises(refusals.NothingAllocated):
        reserve(alice)
    settle(running, 10, 20)
    assert sums(mine)[:2] == (0, 30)


def test_a_new_period_begins_with_nothing_spent(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    settle(reserve(alice), 40, 60)
    Allocation.objects.filter(pk=mine.pk).update(period_began=date(2020, 1, 1))
    mine.refresh_from_db()
    assert mine.left.tokens == 100
    assert reserve(alice).allocation == mine
    assert sums(mine)[:2] == (100, 0)
    entry = mine.entries.get(kind=LedgerEntry.Kind.EXPIRE)
    assert (entry.spent_tokens, entry.reserved_tokens) == (-100, 0)


def test_what_is_granted_once_is_never_renewed(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100, period=Period.ONCE)
    settle(reserve(alice), 40, 60)
    assert mine.renews is None
    with pytest.raises(refusals.NothingLeft, match="used up. Ask for more"):
        reserve(alice)


def test_a_call_of_the_last_period_is_settled_in_the_next(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=1000)
    old = reserve(alice)
    Allocation.objects.filter(pk=mine.pk).update(period_began=date(2020, 1, 1))
    reserve(alice)
    settle(old, 40, 10)
    assert sums(mine)[:2] == (100, 50)


def test_what_counts_as_spent_can_be_corrected(alice: User, admin: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    settle(reserve(alice), 40, 60)
    mine.adjust(tokens=-30, actor=admin, reason="The answer was damaged")
    assert sums(mine)[1] == 70
    entry = mine.entries.first()
    assert entry and (entry.kind, entry.actor, entry.reason) == ("adjust", admin, "The answer was damaged")


def test_the_ledger_is_only_written_on(alice: User, token: APIToken) -> None:
    reserve(alice)
    with pytest.raises(TypeError):
        LedgerEntry.objects.update(spent_tokens=0)
    with pytest.raises(TypeError):
        LedgerEntry.objects.all().delete()


def test_explicit_zeros_are_zeros(alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    settle(reserve(alice), 0, 0)
    assert sums(mine)[:2] == (0, 0) and UsageRecord.objects.get().origin == "reported"


@pytest.mark.parametrize(
    ("period", "day", "begins", "renews"),
    [
        (Period.DAY, date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)),
        (Period.WEEK, date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 30)),
        (Period.WEEK, date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 7)),
        (Period.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
        (Period.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (Period.ONCE, date(2026, 12, 31), date.min, None),
    ],
)
def test_periods(period: Period, day: date, begins: date, renews: date | None) -> None:
    assert (period.begins(day), period.renews(day)) == (begins, renews)
