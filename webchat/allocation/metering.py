"""May this call be made, and what did it take? `reserve` before it, exactly one `settle` after it."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, UsageRecord
from webchat.upstream.wire import Usage


class NothingAllocated(Exception):
    """This person has no token to ask with."""


@dataclass(frozen=True)
class Spent:
    """What one call took. Without the upstream's own `usage` the estimates count, and are labelled so."""

    outcome: str
    usage: Usage | None = None
    estimated_prompt_tokens: int = 0
    estimated_completion_tokens: int = 0
    answered_model: str = ""
    error_code: str = ""
    first_token_ms: int | None = None
    duration_ms: int | None = None


def reserve(user: User, *, source: str, model: str, most_tokens: int) -> UsageRecord:
    """Admit a call, in the transaction that saves what it is for. Raises `NothingAllocated`."""
    allocation = Allocation.objects.open_to(user).first()
    if allocation is None:
        raise NothingAllocated
    return UsageRecord.objects.create(
        user=user,
        api_token=allocation.api_token,
        source=source,
        model=model,
        reserved_tokens=most_tokens,
    )


def settle(record_id: UUID, spent: Spent) -> bool:
    """Book what the call took. Only the first settlement counts; tells whether this was it."""
    if spent.usage:
        origin = UsageRecord.Origin.REPORTED
        prompt_tokens, completion_tokens = spent.usage.prompt_tokens, spent.usage.completion_tokens
    else:
        origin = UsageRecord.Origin.ESTIMATED
        prompt_tokens, completion_tokens = spent.estimated_prompt_tokens, spent.estimated_completion_tokens
    running = UsageRecord.objects.filter(pk=record_id, outcome=UsageRecord.Outcome.RESERVED)
    return bool(
        running.update(
            outcome=spent.outcome,
            origin=origin,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            answered_model=spent.answered_model[:200],
            error_code=spent.error_code,
            first_token_ms=spent.first_token_ms,
            duration_ms=spent.duration_ms,
            settled_at=timezone.now(),
        )
    )
