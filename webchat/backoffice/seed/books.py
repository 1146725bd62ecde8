"""How do made-up calls come into the books? At once, and yet as if each had been reserved and settled in its time."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.utils import timezone

from webchat.allocation.models import Allocation, LedgerEntry, UsageDay, UsageRecord
from webchat.allocation.money import NOTHING
from webchat.allocation.periods import Period

Kind = LedgerEntry.Kind
BATCH = 1000


def book(records: list[UsageRecord]) -> None:
    """Records, ledger, sums and days; `verify_ledger` finds nothing wrong with them."""
    records.sort(key=attrgetter("created_at"))
    UsageRecord.objects.bulk_create(records, BATCH)
    by_allocation: dict[Allocation, list[UsageRecord]] = defaultdict(list)
    for record in records:
        assert record.allocation
        by_allocation[record.allocation].append(record)
    entries = [one for allocation, theirs in by_allocation.items() for one in _entries(allocation, theirs)]
    LedgerEntry.objects.bulk_create(sorted(entries, key=attrgetter("created_at")), BATCH)
    Allocation.objects.bulk_update(by_allocation, Allocation.SUMS)
    UsageDay.objects.all().rebuild()


def _entries(allocation: Allocation, records: list[UsageRecord]) -> Iterator[LedgerEntry]:
    """In the order of time; leaves the allocation with the sums of the period that is running."""
    period = Period(allocation.period)
    moments = [(record.created_at, False, record) for record in records]
    moments += [(record.settled_at or record.created_at, True, record) for record in records]
    for moment, is_end, record in sorted(moments, key=lambda one: one[:2]):
        if is_end:
            yield _end(allocation, record, moment)
            continue
        begins = period.begins(timezone.localtime(moment).date())
        if allocation.period_began is None or allocation.period_began < begins:
            if allocation.spent_tokens or allocation.spent_cost:
                spent_tokens, spent_cost = allocation.spent_tokens, allocation.spent_cost
                yield _entry(
                    allocation, Kind.EXPIRE, moment, spent_tokens=-spent_tokens, spent_cost=-spent_cost
                )
            allocation.period_began, allocation.spent_tokens, allocation.spent_cost = begins, 0, NOTHING
        yield _entry(
            allocation,
            Kind.RESERVE,
            moment,
            record=record,
            reserved_tokens=record.reserved_tokens,
            reserved_cost=record.reserved_cost,
        )


def _end(allocation: Allocation, record: UsageRecord, moment: datetime) -> LedgerEntry:
    allocation.spent_tokens += record.total_tokens
    allocation.spent_cost += record.spent_cost
    return _entry(
        allocation,
        Kind.RELEASE if record.took_nothing else Kind.SETTLE,
        moment,
        record=record,
        reserved_tokens=-record.reserved_tokens,
        reserved_cost=-record.reserved_cost,
        spent_tokens=record.total_tokens,
        spent_cost=record.spent_cost,
    )


def _entry(
    allocation: Allocation,
    kind: str,
    moment: datetime,
    record: UsageRecord | None = None,
    **amounts: int | Decimal,
) -> LedgerEntry:
    about: dict[str, Any] = {"allocation": allocation, "kind": kind, "created_at": moment, "record": record}
    entry = LedgerEntry(**about, **amounts)
    entry.checksum = "" if record else entry.digest()
    return entry
