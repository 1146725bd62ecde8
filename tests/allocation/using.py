"""Calls that have been, written straight into the database, with the sums of their days."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import APIToken, UsageDay, UsageRecord


def used(
    user: User, token: APIToken, prompt_tokens: int = 100, completion_tokens: int = 20, **fields: Any
) -> UsageRecord:
    """A settled call, as metering leaves it behind."""
    at: datetime = fields.pop("at", None) or timezone.now()
    usual = {"source": "chat", "model": "gpt-4", "outcome": "complete", "origin": "reported"}
    record = UsageRecord(
        user=user,
        api_token=token,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        created_at=at,
        settled_at=at,
        **{**usual, **fields},
    )
    record.spent_cost = record.cost(**record.took)
    record.save(force_insert=True)
    UsageDay.objects.all().add(record)
    return record
