"""Brings every secret in the vault under the newest of `VAULT_KEYS`; after that the older keys can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webchat.allocation.models import APIToken
from webchat.allocation.vault import VaultLocked


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = APIToken.objects.all().reseal()
        except VaultLocked:
            raise CommandError(
                "None of VAULT_KEYS opens one of the tokens. Nothing was changed; add the key that sealed it."
            ) from None
        self.stdout.write(f"{count} tokens are sealed with the newest key.")
