"""What was used from one day to another, by whom and with what? Read from the sums of days, never from the calls."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from webchat.accounts.models import User
from webchat.allocation import charts, money
from webchat.allocation.charts import Chart
from webchat.allocation.models import APIToken, UsageDay, UsageRecord
from webchat.allocation.models.usage_day import UsageDayQuerySet
from webchat.allocation.money import NOTHING
from webchat.backoffice.tables import Row, Table, Value

# A chart of more days than this has a bar for each month.
MOST_BARS = 124


@dataclass
class Used:
    """What several calls took together."""

    calls: int = 0
    failures: int = 0
    tokens: int = 0
    cost: Decimal = NOTHING
    timed_calls: int = 0
    first_token_ms: int = 0
    duration_ms: int = 0

    def add(self, row: dict[str, Any]) -> None:
        self.calls += row["calls_sum"]
        self.failures += row["failures_sum"]
        self.tokens += row["prompt_tokens_sum"] + row["completion_tokens_sum"]
        self.cost += row["cost_sum"]
        self.timed_calls += row["timed_calls_sum"]
        self.first_token_ms += row["first_token_ms_sum"]
        self.duration_ms += row["duration_ms_sum"]

    @property
    def values(self) -> list[Value]:
        return [self.calls, self.tokens, self.cost, self.failures]

    @property
    def speed(self) -> list[Value]:
        """How often it failed, and how long one waits on average."""
        first, whole = (
            round(sum_of_ms / self.timed_calls) if self.timed_calls else None
            for sum_of_ms in (self.first_token_ms, self.duration_ms)
        )
        return [self.calls, self.failures, self.failures / self.calls if self.calls else 0.0, first, whole]


def added_up(rows: Iterable[dict[str, Any]], key: str) -> dict[Any, Used]:
    """For each value of the key what was used, the dearest first."""
    sums: dict[Any, Used] = defaultdict(Used)
    for row in rows:
        sums[row[key]].add(row)
    return dict(sorted(sums.items(), key=lambda item: (item[1].cost, item[1].tokens), reverse=True))


@dataclass(frozen=True)
class Report:
    """Each look at the database is taken once, and only when something asks for it."""

    days: UsageDayQuerySet
    first: date
    last: date

    @classmethod
    def between(cls, first: date, last: date, **of: Any) -> "Report":
        return cls(UsageDay.objects.between(first, last).filter(**of), first, last)

    @cached_property
    def _people(self) -> dict[UUID | None, Used]:
        return added_up(self.days.summed_by("user_id"), "user_id")

    @cached_property
    def _rest(self) -> list[dict[str, Any]]:
        """Few rows, from which all but the sums of people can be added up."""
        return list(self.days.summed_by("day", "model", "source", "api_token_id"))

    @cached_property
    def _models(self) -> dict[str, Used]:
        return added_up(self._rest, "model")

    @cached_property
    def _used_days(self) -> dict[date, Used]:
        return added_up(self._rest, "day")

    @cached_property
    def total(self) -> Used:
        total = Used()
        for used in self._models.values():
            _add_to(total, used)
        return total

    @property
    def people_count(self) -> int:
        return len(self._people)

    # Tables

    def by_person(self) -> Table:
        names = dict(User.objects.values_list("pk", "username"))
        rows = [
            Row([names[pk], *used.values], reverse("admin:person", args=[pk]))
            if pk in names
            else Row([_("(deleted)"), *used.values])
            for pk, used in self._people.items()
        ]
        return Table("people", _("People"), _header(_("Person")), rows)

    def by_group(self) -> Table:
        """By who is in a group now: past membership is not kept."""
        names = dict(Group.objects.values_list("pk", "name"))
        sums: dict[int, Used] = defaultdict(Used)
        for group, person in User.groups.through.objects.values_list("group_id", "user_id"):
            if used := self._people.get(person):
                _add_to(sums[group], used)
        rows = [
            Row([names[pk], *used.values], reverse("admin:auth_group_change", args=[pk]))
            for pk, used in sorted(sums.items(), key=lambda item: item[1].cost, reverse=True)
        ]
        note = _("By the members of today. Who is in two groups counts in both.")
        return Table("groups", _("Groups"), _header(_("Group")), rows, note)

    def by_model(self) -> Table:
        rows = [Row([name, *used.values]) for name, used in self._models.items()]
        return Table("models", _("Models"), _header(_("Model")), rows)

    def by_token(self) -> Table:
        names = {token.pk: str(token) for token in APIToken.objects.only("label", "last_four")}
        rows = [
            Row([names[pk], *used.values], reverse("admin:allocation_apitoken_change", args=[pk]))
            for pk, used in added_up(self._rest, "api_token_id").items()
        ]
        return Table("tokens", _("API tokens"), _header(_("API token")), rows)

    def by_source(self) -> Table:
        names = dict(UsageRecord.Source.choices)
        rows = [
            Row([str(names.get(source, source)), *used.values])
            for source, used in added_up(self._rest, "source").items()
        ]
        return Table("sources", _("Sources"), _header(_("Source")), rows)

    def by_day(self) -> Table:
        rows = [Row([day, *used.values]) for day, used in sorted(self._used_days.items(), reverse=True)]
        return Table("days", _("Days"), _header(_("Day")), rows)

    def speed(self) -> Table:
        header = [
            _("Model"), _("Calls"), _("Failures"), _("Failure rate"), _("Time to the first token (ms)"),
            _("Duration (ms)"),
        ]  # fmt: skip
        rows = [Row([name, *used.speed]) for name, used in self._models.items()]
        note = _("Averages of the calls that brought something.")
        return Table("speed", _("Failures and speed"), header, rows, note, is_wide=True)

    # Charts

    def tokens_chart(self) -> Chart:
        return charts.bars([(label, used.tokens) for label, used in self._bars()])

    def cost_chart(self) -> Chart:
        return charts.bars([(label, used.cost) for label, used in self._bars()], show=money.shown)

    def _bars(self) -> Iterator[tuple[str, Used]]:
        """Of every day, also of those on which nothing was used; or of every month, when there are many."""
        is_long = (self.last - self.first).days >= MOST_BARS
        sums: dict[str, Used] = {}
        # Of years without any use there would be many bars of nothing.
        first = max(self.first, min(self._used_days, default=self.first)) if is_long else self.first
        for number in range((self.last - first).days + 1):
            day = first + timedelta(days=number)
            label = formats.date_format(day, "YEAR_MONTH_FORMAT" if is_long else "DATE_FORMAT")
            used = sums.setdefault(label, Used())
            if day in self._used_days:
                _add_to(used, self._used_days[day])
        yield from sums.items()


def _header(first: str) -> list[str]:
    return [first, _("Calls"), _("Tokens"), _("Cost"), _("Failures")]


def _add_to(sums: Used, more: Used) -> None:
    for name, value in vars(more).items():
        setattr(sums, name, getattr(sums, name) + value)
