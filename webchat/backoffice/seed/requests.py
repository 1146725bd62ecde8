"""What does the demo team ask for beyond what it has? Two wait for an admin's word."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.utils import timezone

from webchat.accounts.models import User

WAITING: dict[str, dict[str, Any]] = {
    "emil": {"reason": "The fair was moved by two weeks, and the leaflets are half done.", "tokens": 100_000},
    "dora": {"reason": "Three more models are to be compared.", "cost": Decimal(6)},
}


def ask() -> None:
    request: Any = apps.all_models["allocation"].get("allocationrequest")
    if request is None:
        return
    until = timezone.localdate() + timedelta(days=21)
    for name, more in WAITING.items():
        request._default_manager.all().ask(User.objects.get(username=name), until=until, **more)
