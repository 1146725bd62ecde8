"""Proves that the sums are the entries, that every call was booked once, and that nothing is lost; or names the row."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from webchat.allocation import proof
from webchat.allocation.models import Allocation, LedgerEntry, UsageRecord


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        with proof.snapshot():
            found = list(proof.problems())
            counts = [model.objects.count() for model in (Allocation, LedgerEntry, UsageRecord)]
        for problem in found:
            self.stderr.write(problem)
        if found:
            sys.exit(1)
        self.stdout.write("Everything holds: {} allocations, {} ledger entries, {} calls.".format(*counts))
