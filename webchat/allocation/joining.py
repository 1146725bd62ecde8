"""What does somebody get who comes in by an invitation? What it promised, in the transaction that takes them in.

`accounts` knows nothing of allocations; the settings name these adapters instead of its own.
"""

from django.http import HttpRequest

from webchat.accounts import adapter
from webchat.accounts.models import User
from webchat.allocation.models import PendingGrant


class AccountAdapter(adapter.AccountAdapter):
    def take_in(self, request: HttpRequest, user: User) -> None:
        super().take_in(request, user)
        PendingGrant.objects.all().keep(user)


class SocialAccountAdapter(adapter.SocialAccountAdapter):
    def take_in(self, request: HttpRequest, user: User) -> None:
        super().take_in(request, user)
        PendingGrant.objects.all().keep(user)
