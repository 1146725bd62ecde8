"""A team to try the portal with: people, tokens, allocations, conversations, a month of usage. For the demo database
only. Run again it changes nothing.
"""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from webchat.backoffice.seed import books, conversations, people, requests
from webchat.backoffice.seed.month import Month


class Command(BaseCommand):
    help = __doc__

    @transaction.atomic
    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        people.sign_up_team()
        if not people.has_history():
            make_history()
        if verbosity:
            self.stdout.write(f"Sign in as admin, alice or bob with the password {people.PASSWORD}")


def make_history() -> None:
    people.set_prices()
    spent, current = people.buy_tokens()
    granted = people.grant_all(timezone.now() - timedelta(days=people.DAYS + 1))
    month = Month(granted, spent, current)
    month.live()
    talks = conversations.write(month)
    books.book(month.records)
    conversations.keep(talks)
    requests.ask()
