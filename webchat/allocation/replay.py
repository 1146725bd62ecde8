"""What if other terms had been in force? The calls that were made, one after the other, against those proposed.

A call is held against what it took, not against what was reserved for it: that depended on the terms of then.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.allocation.admission import PACE
from webchat.allocation.models import Allocation, UsageDay, UsageRecord
from webchat.allocation.models.model_info import MILLION
from webchat.allocation.money import NOTHING, rounded
from webchat.allocation.periods import Period

BATCH = 5000


class Reason(models.TextChoices):
    """Why a call would not have been admitted."""

    MODEL = "model", _("the model")
    ANSWERS = "answers", _("too many answers")
    TOKENS = "tokens", _("no tokens left")
    COST = "cost", _("no money left")
    PACE = "pace", _("too many requests a minute")
    AT_ONCE = "at_once", _("too many answers at once")


class Call(NamedTuple):
    """What of a usage record matters here, in the order of `COLUMNS`."""

    at: datetime
    user_id: UUID | None
    model: str
    n: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    completion_price: Decimal
    duration_ms: int | None

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def cut(self, longest: int | None) -> "Call":
        """The same with answers that are no longer than this."""
        too_long = 0 if longest is None else self.completion_tokens - longest * self.n
        if too_long <= 0:
            return self
        saved = rounded(self.completion_price * too_long / MILLION)
        return self._replace(
            completion_tokens=self.completion_tokens - too_long, cost=max(self.cost - saved, NOTHING)
        )


COLUMNS = (
    "created_at", "user_id", "model", "n", "prompt_tokens", "completion_tokens", "spent_cost", "completion_price",
    "duration_ms",
)  # fmt: skip


@dataclass
class Tally:
    """What would have become of somebody's calls."""

    calls: int = 0
    stopped: int = 0
    shortened: int = 0
    cost: Decimal = NOTHING
    saved_tokens: int = 0
    saved_cost: Decimal = NOTHING
    first_stopped_at: datetime | None = None
    last_stopped_at: datetime | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def stop(self, call: Call, reason: str) -> None:
        self.stopped += 1
        self.reasons[reason] += 1
        self.first_stopped_at = self.first_stopped_at or call.at
        self.last_stopped_at = call.at
        self.save(call.tokens, call.cost)

    def save(self, tokens: int, cost: Decimal) -> None:
        self.saved_tokens += tokens
        self.saved_cost += cost

    def include(self, other: "Tally") -> None:
        for name in ("calls", "stopped", "shortened", "cost", "saved_tokens", "saved_cost", "reasons"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Replay:
    """What would have become of all of them."""

    people: dict[UUID | None, Tally] = field(default_factory=lambda: defaultdict(Tally))
    stopped_on: Counter[date] = field(default_factory=Counter)

    @cached_property
    def total(self) -> Tally:
        total = Tally()
        for tally in self.people.values():
            total.include(tally)
        return total


def replay(
    calls: Iterable[Call], terms: Allocation, *, since: datetime, spent: tuple[int, Decimal] = (0, NOTHING)
) -> Replay:
    """The calls are in the order of time; `spent` is what had been spent at `since`, in the period that ran then."""
    budget, pace, result = _Budget(terms, since, *spent), _Pace(terms), Replay()
    zone = timezone.get_current_timezone()
    for call in calls:
        tally = result.people[call.user_id]
        tally.calls += 1
        tally.cost += call.cost
        budget.reach(call.at)
        kept = call.cut(terms.max_tokens)
        if reason := _refusal(call, terms) or budget.refusal(kept) or pace.refusal(call):
            tally.stop(call, reason)
            result.stopped_on[call.at.astimezone(zone).date()] += 1
            continue
        budget.take(kept)
        pace.take(call)
        if kept is not call:
            tally.shortened += 1
            tally.save(call.tokens - kept.tokens, call.cost - kept.cost)
    return result


def _refusal(call: Call, terms: Allocation) -> Reason | None:
    if terms.allowed_models and call.model not in terms.allowed_models:
        return Reason.MODEL
    return Reason.ANSWERS if terms.max_n is not None and call.n > terms.max_n else None


class _Budget:
    """What had been spent, in the period that ran."""

    def __init__(self, terms: Allocation, since: datetime, tokens: int, cost: Decimal) -> None:
        self._terms = terms
        self._tokens, self._cost = tokens, cost
        self._ends = self._end_of(since)

    def reach(self, moment: datetime) -> None:
        if self._ends and moment >= self._ends:
            self._tokens, self._cost = 0, NOTHING
            self._ends = self._end_of(moment)

    def _end_of(self, moment: datetime) -> datetime | None:
        renews = Period(self._terms.period).renews(timezone.localtime(moment).date())
        return _midnight(renews) if renews else None

    def refusal(self, call: Call) -> Reason | None:
        terms = self._terms
        if terms.token_limit is not None and self._tokens + call.tokens > terms.token_limit:
            return Reason.TOKENS
        return (
            Reason.COST
            if terms.cost_limit is not None and self._cost + call.cost > terms.cost_limit
            else None
        )

    def take(self, call: Call) -> None:
        self._tokens += call.tokens
        self._cost += call.cost


class _Pace:
    """What each person had going on."""

    def __init__(self, terms: Allocation) -> None:
        self._terms = terms
        self._recent: dict[UUID | None, deque[datetime]] = defaultdict(deque)
        self._running: dict[UUID | None, list[tuple[datetime, int]]] = defaultdict(list)

    def refusal(self, call: Call) -> Reason | None:
        terms = self._terms
        if terms.answers_at_once is not None:
            running = [one for one in self._running[call.user_id] if one[0] > call.at]
            self._running[call.user_id] = running
            if sum(n for _ends, n in running) + call.n > terms.answers_at_once:
                return Reason.AT_ONCE
        if terms.requests_per_minute is not None:
            recent = self._recent[call.user_id]
            while recent and recent[0] <= call.at - PACE:
                recent.popleft()
            if len(recent) >= terms.requests_per_minute:
                return Reason.PACE
        return None

    def take(self, call: Call) -> None:
        if self._terms.answers_at_once is not None:
            ends = call.at + timedelta(milliseconds=call.duration_ms or 0)
            self._running[call.user_id].append((ends, call.n))
        if self._terms.requests_per_minute is not None:
            self._recent[call.user_id].append(call.at)


def replay_since(first: date, concerned: Q, terms: Allocation) -> Replay:
    """The calls from this day on, of those that are `concerned`, read one after the other."""
    spent = _spent_before(first, concerned, terms)
    return replay(_calls_since(first, concerned), terms, since=_midnight(first), spent=spent)


def _spent_before(first: date, concerned: Q, terms: Allocation) -> tuple[int, Decimal]:
    """From when the period began that ran on this day until then, with the models that are allowed."""
    begins = Period(terms.period).begins(first)
    days = UsageDay.objects.filter(concerned, day__gte=begins, day__lt=first, allocation__isnull=False)
    if terms.allowed_models:
        days = days.filter(model__in=terms.allowed_models)
    # Names that are not those of columns, or the second sum would be of the first one.
    sums = days.aggregate(
        all_tokens=Sum(F("prompt_tokens") + F("completion_tokens"), default=0),
        all_cost=Sum("cost", default=NOTHING),
    )
    return sums["all_tokens"], sums["all_cost"]


def _calls_since(first: date, concerned: Q) -> Iterator[Call]:
    """Those that have ended and were made with an allocation."""
    calls = UsageRecord.objects.filter(concerned, created_at__gte=_midnight(first), allocation__isnull=False)
    ended = calls.exclude(outcome=UsageRecord.Outcome.RESERVED).order_by("created_at", "pk")
    return map(Call._make, ended.values_list(*COLUMNS).iterator(chunk_size=BATCH))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
