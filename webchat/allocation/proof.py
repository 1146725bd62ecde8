"""Is every token accounted for? Compares allocations, ledger and usage records, and names each row that is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import (
    Exists,
    F,
    FloatField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Abs, Cast
from django.utils import timezone

from webchat.allocation.models import Allocation, LedgerEntry, UsageDay, UsageRecord
from webchat.allocation.models.usage_day import OF_RECORDS

# So long after it must have ended a call may still be marked as running: until the next look for lost ones.
GRACE = timedelta(minutes=1)
SUMS = ("reserved_tokens", "spent_tokens", "reserved_cost", "spent_cost")
Kind = LedgerEntry.Kind
ENDS = (Kind.SETTLE, Kind.RELEASE)
OF_CALLS = (Kind.RESERVE, *ENDS)


def problems() -> Iterator[str]:
    """One line for each row that is wrong; nothing when everything holds."""
    yield from _entries_as_written()
    yield from _signs()
    yield from _calls()
    yield from _costs()
    yield from _ends_of_periods()
    yield from _sums()
    yield from _terms()
    yield from _days()
    yield from _orphans()


@contextmanager
def snapshot() -> Iterator[None]:
    """All looks at the database see one moment: calls that are settled meanwhile are seen wholly or not at all."""
    with connection.cursor() as cursor:
        # Not `atomic`: on SQLite nobody could write until it is over.
        cursor.execute(
            "BEGIN" if connection.vendor == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _entries_as_written() -> Iterator[str]:
    for entry in LedgerEntry.objects.filter(record=None).iterator():
        if entry.kind in OF_CALLS:
            yield _row(entry, "is for a call, but names none")
        elif entry.checksum != entry.digest():
            yield _row(entry, "is not as it was written")


def _signs() -> Iterator[str]:
    nothing_spent = Q(spent_tokens=0, spent_cost=0)
    right = (
        Q(nothing_spent, kind=Kind.RESERVE, reserved_tokens__gte=0, reserved_cost__gte=0)
        | Q(kind=Kind.SETTLE, reserved_tokens__lte=0, reserved_cost__lte=0, spent_tokens__gte=0, spent_cost__gte=0)
        | Q(nothing_spent, kind=Kind.RELEASE, reserved_tokens__lte=0, reserved_cost__lte=0)
        | Q(kind=Kind.EXPIRE, reserved_tokens=0, reserved_cost=0, spent_tokens__lte=0, spent_cost__lte=0)
        | Q(kind=Kind.ADJUST, reserved_tokens=0, reserved_cost=0)
        | Q(nothing_spent, kind__in=(Kind.GRANT, Kind.CHANGE, Kind.REVOKE), reserved_tokens=0, reserved_cost=0)
    )  # fmt: skip
    yield from _rows(LedgerEntry.objects.exclude(right), "has amounts that its kind cannot have")


def _calls() -> Iterator[str]:
    """Every call was reserved once, and ended once if it has ended; its entries say what its record says."""
    entries = LedgerEntry.objects.filter(record=OuterRef("pk"))
    calls = UsageRecord.objects.exclude(allocation=None)
    ended = calls.exclude(outcome=UsageRecord.Outcome.RESERVED)
    yield from _rows(calls.exclude(Exists(entries.filter(kind=Kind.RESERVE))), "was never reserved")
    yield from _rows(ended.exclude(Exists(entries.filter(kind__in=ENDS))), "has ended, but was never settled")
    settled = calls.running().filter(Exists(entries.filter(kind__in=ENDS)))
    yield from _rows(settled, "is marked as running, but was settled")
    of_calls = LedgerEntry.objects.exclude(record=None)
    yield from _rows(
        of_calls.exclude(allocation=F("record__allocation")), "belongs to another allocation than its call"
    )
    reserved = Q(reserved_tokens=F("record__reserved_tokens"), reserved_cost=F("record__reserved_cost"))
    yield from _rows(
        of_calls.filter(kind=Kind.RESERVE).exclude(reserved), "reserves other amounts than its call"
    )
    given_back = Q(
        reserved_tokens=0 - F("record__reserved_tokens"), reserved_cost=0 - F("record__reserved_cost")
    )
    spent = Q(
        spent_tokens=F("record__prompt_tokens") + F("record__completion_tokens"),
        spent_cost=F("record__spent_cost"),
    )
    yield from _rows(
        of_calls.filter(kind__in=ENDS).exclude(given_back & spent), "books other amounts than its call"
    )


def _costs() -> Iterator[str]:
    """What a call cost is what it took at its own prices, but for what was corrected."""
    million, minute = 10.0**6, 60.0
    expected = (
        _float("prompt_price") * _float("prompt_tokens") / million
        + _float("completion_price") * _float("completion_tokens") / million
        + _float("character_price") * _float("characters") / million
        + _float("minute_price") * _float("seconds") / minute
        + _float("image_price") * _float("images")
    )
    # Floats are exact enough to find a mistake, and integers would overflow.
    difference = Abs(_float("spent_cost") - expected)
    calls = UsageRecord.objects.exclude(origin=UsageRecord.Origin.CORRECTED)
    wrong = calls.annotate(difference=difference).filter(difference__gt=1 + expected * 1e-9)
    yield from _rows(wrong, "cost something else than its tokens at its prices")


def _ends_of_periods() -> Iterator[str]:
    for entry in LedgerEntry.objects.filter(kind=Kind.EXPIRE).iterator():
        until_then = LedgerEntry.objects.filter(allocation=entry.allocation_id, pk__lte=entry.pk)
        if any(until_then.aggregate(Sum("spent_tokens"), Sum("spent_cost")).values()):
            yield _row(entry, "does not end its period at nothing")


def _sums() -> Iterator[str]:
    grouped = LedgerEntry.objects.order_by().values("allocation")
    totals = grouped.annotate(**{f"sum_of_{name}": Sum(name) for name in SUMS})
    added_up: dict[Any, dict[str, Any]] = {row["allocation"]: dict(row) for row in totals}
    for allocation in Allocation.objects.select_related("user", "group"):
        entries = added_up.get(allocation.pk, {})
        for name in SUMS:
            kept, booked = getattr(allocation, name), entries.get(f"sum_of_{name}") or 0
            if kept != booked:
                yield _row(allocation, f"has {name} {kept:f}, but its entries add up to {booked:f}")
            elif kept < 0:
                yield _row(allocation, f"has {name} below zero: {kept:f}")


def _terms() -> Iterator[str]:
    granted = LedgerEntry.objects.filter(kind__in=LedgerEntry.OF_TERMS).order_by("pk")
    latest = {entry.allocation_id: entry for entry in granted}
    for allocation in Allocation.objects.filter(pk__in=latest).select_related("user", "group"):
        if allocation.terms() != latest[allocation.pk].terms:
            yield _row(allocation, f"is not granted on the terms of ledger entry {latest[allocation.pk].pk}")


def _days() -> Iterator[str]:
    """The days add up to the calls; not day by day, since the portal's time zone may have been another one."""
    keys = ("allocation_id", "api_token_id", "model", "source")
    closed = UsageRecord.objects.exclude(outcome=UsageRecord.Outcome.RESERVED).order_by().values(*keys)
    calls = {tuple(row[key] for key in keys): row for row in closed.annotate(**OF_RECORDS)}
    days = {tuple(row[key] for key in keys): row for row in UsageDay.objects.all().summed_by(*keys)}
    for group in calls.keys() | days.keys():
        for name in UsageDay.SUMS:
            booked, counted = calls.get(group, {}).get(name, 0), days.get(group, {}).get(f"{name}_sum", 0)
            if booked != counted:
                yield (
                    f"days of usage of {' '.join(map(str, group))} add up to {name} {counted:f},"
                    f" but their calls to {booked:f}"
                )


def _orphans() -> Iterator[str]:
    begun_before = timezone.now() - timedelta(seconds=settings.UPSTREAM_TOTAL_SECONDS) - GRACE
    yield from _rows(
        UsageRecord.objects.running().filter(created_at__lt=begun_before),
        "is still reserved, but must have ended",
    )


def _float(name: str) -> Combinable:
    return Cast(name, FloatField())


def _rows(wrong: QuerySet[Any], what: str) -> Iterator[str]:
    for row in wrong.iterator():
        yield _row(row, what)


def _row(row: Model, what: str) -> str:
    return f"{row._meta.verbose_name} {row.pk} ({row}) {what}"
