"""What was used on which day, added up? So that a page about a million calls reads some hundred rows."""

from datetime import date
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Count, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.api_token import APIToken
from webchat.allocation.models.usage import UsageRecord
from webchat.allocation.money import NOTHING, MoneyField
from webchat.allocation.statements import increase

Outcome = UsageRecord.Outcome
# Two rows without a person would differ for a database.
NOBODY = Value(UUID(int=0), output_field=models.UUIDField())


class UsageDayQuerySet(models.QuerySet["UsageDay"]):
    def add(self, record: UsageRecord) -> None:
        """Count a call that has just been closed, in the same transaction."""
        day = timezone.localtime(record.created_at).date()
        keys = {"day": day, **{key: getattr(record, key) for key in UsageDay.KEYS}}
        counts = {name: by for name, by in UsageDay.counts_of(record).items() if by}
        if not increase(UsageDay, keys, counts):
            # Somebody else may have been faster with the first call of the day.
            self.bulk_create([UsageDay(**keys)], ignore_conflicts=True)
            increase(UsageDay, keys, counts)

    def rebuild(self) -> None:
        """Anew from the records, for those that were not closed one by one."""
        self.all().delete()
        closed = UsageRecord.objects.exclude(outcome=Outcome.RESERVED).order_by()
        rows = (
            closed.annotate(day=TruncDate("created_at")).values("day", *UsageDay.KEYS).annotate(**OF_RECORDS)
        )
        self.bulk_create((UsageDay(**row) for row in rows.iterator()), batch_size=500)

    def between(self, first: date, last: date) -> Self:
        return self.filter(day__gte=first, day__lte=last)

    def summed_by(self, *keys: str) -> "models.QuerySet[UsageDay, dict[str, Any]]":
        """For each value of the keys what was used: a row of UsageDay.SUMS, the dearest first."""
        sums = {name: Sum(name, default=NOTHING if name == "cost" else 0) for name in UsageDay.SUMS}
        # Names of sums are those of columns, so they must not stand in the grouping.
        rows = (
            self.order_by().values(*keys).annotate(**{f"{name}_sum": total for name, total in sums.items()})
        )
        ordered: models.QuerySet[UsageDay, dict[str, Any]] = rows.order_by(
            "-cost_sum", "-prompt_tokens_sum", *keys
        )
        return ordered


class UsageDay(models.Model):
    """The calls of one person on one day with one allocation, token, model and source."""

    KEYS = ("user_id", "allocation_id", "api_token_id", "model", "source")
    SUMS = (
        "calls", "failures", "prompt_tokens", "completion_tokens", "characters", "seconds", "images", "cost",
        "estimated_calls", "timed_calls", "first_token_ms", "duration_ms",
    )  # fmt: skip

    day = models.DateField(_("day"))
    # Of a person who is deleted the id stays, or what several of them used would be one row.
    user = models.ForeignKey(
        User, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    allocation = models.ForeignKey(
        "allocation.Allocation", models.PROTECT, null=True, related_name="+", db_index=False
    )
    api_token = models.ForeignKey(APIToken, models.PROTECT, related_name="+", db_index=False)
    model = models.CharField(max_length=200)
    source = models.CharField(max_length=20)
    calls = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    characters = models.PositiveBigIntegerField(default=0)
    seconds = models.PositiveBigIntegerField(default=0)
    images = models.PositiveBigIntegerField(default=0)
    cost = MoneyField(default=NOTHING)
    estimated_calls = models.PositiveBigIntegerField(default=0)
    # Of the calls that brought something: how many, and how long they took together.
    timed_calls = models.PositiveBigIntegerField(default=0)
    first_token_ms = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(default=0)

    objects = UsageDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of usage")
        verbose_name_plural = _("days of usage")
        constraints = [
            models.UniqueConstraint(
                "day",
                Coalesce("user", NOBODY),
                Coalesce("allocation", NOBODY),
                "api_token",
                "model",
                "source",
                name="one_row_a_day",
            )
        ]
        indexes = [models.Index(fields=["user", "day"], name="usage_days_of_person")]

    def __str__(self) -> str:
        return f"{self.day} {self.model}"

    @staticmethod
    def counts_of(record: UsageRecord) -> dict[str, Any]:
        """What one closed call adds to its row."""
        is_timed = record.first_token_ms is not None
        return {
            "calls": 1,
            "failures": int(record.outcome == Outcome.FAILED),
            **record.took,
            "cost": record.spent_cost,
            "estimated_calls": int(record.origin == UsageRecord.Origin.ESTIMATED),
            "timed_calls": int(is_timed),
            "first_token_ms": record.first_token_ms or 0,
            "duration_ms": record.duration_ms or 0 if is_timed else 0,
        }


_is_timed = Q(first_token_ms__isnull=False)
# The same as `counts_of`, of many records together. Who is named like a column hides it from those that follow.
OF_RECORDS: dict[str, Any] = {
    "calls": Count("pk"),
    "failures": Count("pk", filter=Q(outcome=Outcome.FAILED)),
    "cost": Sum("spent_cost", default=NOTHING),
    "estimated_calls": Count("pk", filter=Q(origin=UsageRecord.Origin.ESTIMATED)),
    "timed_calls": Count("pk", filter=_is_timed),
    "duration_ms": Sum("duration_ms", filter=_is_timed, default=0),
    "first_token_ms": Sum("first_token_ms", default=0),
    **{
        name: Sum(name, default=0)
        for name in ("prompt_tokens", "completion_tokens", "characters", "seconds", "images")
    },
}
