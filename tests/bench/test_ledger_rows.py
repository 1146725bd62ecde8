"""What the database itself makes are books as the portal keeps them."""

from tests.bench import ledger_rows
from webchat.allocation import proof
from webchat.allocation.models import Allocation, LedgerEntry, UsageDay, UsageRecord

CALLS = 3000


def test_books_that_are_made_at_once_hold(db: None) -> None:
    ledger_rows.make(CALLS)
    assert (UsageRecord.objects.count(), LedgerEntry.objects.filter(kind="settle").count()) == (CALLS, CALLS)
    days = UsageDay.objects.all().summed_by("source")
    assert sum(row["calls_sum"] for row in days) == CALLS
    spent = UsageRecord.objects.first()
    assert spent and spent.spent_cost == spent.cost(**spent.took) > 0
    busiest = Allocation.objects.get(user__username=ledger_rows.BUSIEST)
    assert busiest.usage.count() >= CALLS / 50 and busiest.spent[0] > 0
    assert list(proof.problems()) == []
