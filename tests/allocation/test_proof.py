"""`verify_ledger` says that everything holds, or names the row that was tampered with."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, Need, UsageRecord
from webchat.upstream.wire import Usage


@pytest.fixture
def mine(transactional_db: None, alice: User, admin: User, token: APIToken) -> Allocation:
    """Something of everything: settled, released, running, adjusted, of an earlier period, changed."""
    ModelInfo.objects.update_or_create(
        name="gpt-4",
        defaults={"kind": "chat", "prompt_price": Decimal("0.07"), "completion_price": Decimal("1.3")},
    )
    mine = Allocation.objects.grant(user=alice, token_limit=5000, cost_limit=Decimal(3))
    settle(reserve(alice), 33, 61)
    Allocation.objects.filter(pk=mine.pk).update(period_began="2020-01-01")
    settle(reserve(alice), 7, 3)
    metering.settle(reserve(alice), Spent("failed"))
    reserve(alice)
    mine.refresh_from_db()
    mine.adjust(tokens=-5, cost=Decimal("-0.0000001"), actor=admin, reason="Damaged")
    mine.refresh_from_db()
    mine.change(version=0, actor=admin, reason="More", token_limit=6000)
    return mine


def reserve(user: User) -> UsageRecord:
    return metering.reserve(user, source="chat", model="gpt-4", need=Need(40, 60))


def settle(record: UsageRecord, prompt_tokens: int, completion_tokens: int) -> None:
    usage = Usage(prompt_tokens, completion_tokens, prompt_tokens + completion_tokens)
    metering.settle(record, Spent("complete", usage))


def verify() -> tuple[int, str]:
    """How `verify_ledger` exits, and what it says."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_ledger", stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), err.getvalue()
    return 0, out.getvalue()


def tamper(table: str, change: str, pk: object) -> None:
    """As somebody with a client of the database would."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {change} WHERE id = %s",
            [pk.hex if connection.vendor == "sqlite" and hasattr(pk, "hex") else pk],
        )


def test_everything_holds(mine: Allocation) -> None:
    code, said = verify()
    assert (code, said) == (0, "Everything holds: 2 allocations, 12 ledger entries, 4 calls.\n")


def test_what_was_made_without_a_grant_holds_as_well(
    db: None, alice: User, bob: User, token: APIToken
) -> None:
    Allocation.objects.create(user=bob, token_limit=100)
    settle(reserve(bob), 1, 2)
    assert Allocation.objects.get(user=bob).spent_tokens == 3


@pytest.mark.parametrize("kind", ["reserve", "settle", "release", "adjust", "expire"])
@pytest.mark.parametrize("change", ["reserved_tokens = reserved_tokens + 1", "spent_cost = spent_cost + 1"])
def test_an_entry_that_was_changed_is_named(mine: Allocation, kind: str, change: str) -> None:
    entry = mine.entries.filter(kind=kind).earliest("pk")
    tamper("allocation_ledgerentry", change, entry.pk)
    code, said = verify()
    assert code == 1 and f"ledger entry {entry.pk} " in said


@pytest.mark.parametrize("change", ["reason = 'She never asked'", "terms = '{}'", "kind = 'revoke'"])
def test_so_is_a_grant(mine: Allocation, change: str) -> None:
    entry = mine.entries.get(kind="grant")
    tamper("allocation_ledgerentry", change, entry.pk)
    code, said = verify()
    assert code == 1 and f"ledger entry {entry.pk} " in said


@pytest.mark.parametrize(
    "change",
    [
        "completion_tokens = completion_tokens + 1", "spent_cost = spent_cost - 1000", "outcome = 'reserved'",
        "reserved_tokens = 0", "prompt_price = 0",
    ],
)  # fmt: skip
def test_so_is_a_call(mine: Allocation, change: str) -> None:
    call = UsageRecord.objects.filter(outcome="complete").earliest("created_at")
    tamper("allocation_usagerecord", change, call.pk)
    code, said = verify()
    assert code == 1 and (f"usage record {call.pk} " in said or any(
        f"ledger entry {pk} " in said for pk in call.entries.values_list("pk", flat=True)
    ))  # fmt: skip


@pytest.mark.parametrize(
    "change",
    ["spent_tokens = spent_tokens - 1", "reserved_cost = 0", "token_limit = 999999", "period = 'day'"],
)
def test_so_is_an_allocation(mine: Allocation, change: str) -> None:
    tamper("allocation_allocation", change, mine.pk)
    code, said = verify()
    assert code == 1 and f"allocation {mine.pk} " in said


@pytest.mark.parametrize("kind", ["reserve", "settle", "release", "expire", "adjust"])
def test_so_is_what_an_entry_was_deleted_from(mine: Allocation, kind: str) -> None:
    entry = mine.entries.filter(kind=kind).earliest("pk")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM allocation_ledgerentry WHERE id = %s", [entry.pk])
    code, said = verify()
    assert code == 1
    assert (f"usage record {entry.record_id} " if entry.record_id else f"allocation {mine.pk} ") in said


def test_a_reservation_that_nobody_ends_is_named(mine: Allocation) -> None:
    running = UsageRecord.objects.get(outcome="reserved")
    UsageRecord.objects.filter(pk=running.pk).update(created_at=timezone.now() - timedelta(hours=1))
    code, said = verify()
    assert code == 1 and f"usage record {running.pk} " in said and "must have ended" in said
    assert LedgerEntry.objects.filter(record=running).count() == 1
