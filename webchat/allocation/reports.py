"""What did a person use in these days? By day and by model, from the sums of each day; and call by call."""

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from webchat.accounts.models import User
from webchat.allocation import charts, money
from webchat.allocation.charts import Chart
from webchat.allocation.models import UsageDay, UsageRecord
from webchat.allocation.money import NOTHING
from webchat.allocation.span import Span

# What somebody may download of their calls in one file
MOST_CALLS = 50_000


@dataclass
class Sum:
    """What several calls took together."""

    calls: int = 0
    failures: int = 0
    estimated_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    characters: int = 0
    seconds: int = 0
    images: int = 0
    cost: Decimal = NOTHING

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cost_shown(self) -> str:
        return money.shown(self.cost)

    def add(self, row: dict[str, Any]) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + row[f"{one.name}_sum"])


@dataclass(frozen=True)
class Report:
    span: Span
    total: Sum = field(default_factory=Sum)
    by_step: dict[Any, Sum] = field(default_factory=dict)
    by_model: list[tuple[str, Sum, int]] = field(default_factory=list)

    @property
    def tokens_chart(self) -> Chart:
        return charts.bars([(self.span.label(day), one.tokens) for day, one in self.by_step.items()])

    @property
    def cost_chart(self) -> Chart:
        rows = [(self.span.label(day), one.cost) for day, one in self.by_step.items()]
        return charts.bars(rows, show=money.shown)


def of(user: User, span: Span) -> Report:
    """Two queries with a row for each day and each model: of both together there would be many times as many."""
    days = UsageDay.objects.filter(user=user).between(span.first, span.last)
    by_step = {step: Sum() for step in span.steps()}
    for row in days.summed_by("day"):
        by_step[span.step_of(row["day"])].add(row)
    total, by_model = Sum(), []
    for row in days.summed_by("model"):
        one = Sum()
        one.add(row)
        total.add(row)
        by_model.append((row["model"], one))
    return Report(span, total, by_step, _with_shares(by_model))


def total(user: User, span: Span) -> Sum:
    found = Sum()
    for row in UsageDay.objects.filter(user=user).between(span.first, span.last).summed_by("user_id"):
        found.add(row)
    return found


def _with_shares(by_model: list[tuple[str, Sum]]) -> list[tuple[str, Sum, int]]:
    """With a bar as long as its share of the largest, in money if any was spent."""
    in_money = any(one.cost for _model, one in by_model)
    bars = charts.bars([(model, one.cost if in_money else one.tokens) for model, one in by_model]).bars
    return [(model, one, bar.share) for (model, one), bar in zip(by_model, bars, strict=True)]


def by_day_and_model(user: User, span: Span) -> "QuerySet[UsageDay, dict[str, Any]]":
    days = UsageDay.objects.filter(user=user).between(span.first, span.last)
    return days.summed_by("day", "model", "source").order_by("day", "model", "source")


def calls(user: User, span: Span) -> QuerySet[UsageRecord]:
    """The newest first."""
    first, end = span.moments
    return UsageRecord.objects.filter(user=user, created_at__gte=first, created_at__lt=end).order_by(
        "-created_at"
    )
