"""A team to try the portal with: admin, alice and bob, and a first conversation. For the demo database only."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from webchat.accounts.models import User

PASSWORD = "webchat-demo"  # noqa: S105 (it is printed on the screen)


class Command(BaseCommand):
    help = __doc__

    @transaction.atomic
    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        for username, first_name, is_admin in (
            ("admin", "Ada", True),
            ("alice", "Alice", False),
            ("bob", "Bob", False),
        ):
            if not User.objects.filter(username=username).exists():
                create = User.objects.create_superuser if is_admin else User.objects.create_user
                create(username, f"{username}@example.org", PASSWORD, first_name=first_name)
        if verbosity:
            self.stdout.write(f"Sign in as admin, alice or bob with the password {PASSWORD}")
