"""May this call be made, and what did it take? `reserve` before it, exactly one `settle` after it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from webchat.accounts.models import User
from webchat.allocation.admission import admit
from webchat.allocation.models import Allocation, APIToken, ModelInfo, Need, UsageDay, UsageRecord
from webchat.allocation.models.allocation import ended_or_to_come
from webchat.allocation.refusals import NothingAllocated, NoToken, Refused, first_reason
from webchat.upstream.wire import Usage


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


def reserve(user: User, *, source: str, model: str, need: Need, passed: Collection[UUID] = ()) -> UsageRecord:
    """Admit a call, in the transaction that saves what it is for. Raises `Refused`.

    `passed` are API tokens that the upstream has refused for this call already.
    """
    offers = Allocation.objects.open_to(user)
    ways = list(_ways(offers, passed))
    if not ways:
        ended, begins = ended_or_to_come(user)
        has_any = Allocation.objects.concerning(user).exists()
        raise NothingAllocated(ended=ended, begins=begins) if ended or begins or not has_any else NoToken
    prices = ModelInfo.find(model).prices
    refusals: list[Refused] = []
    for number, (allocation, token) in enumerate(ways):
        if refusals and ways[number - 1][0] == allocation:
            continue
        record = UsageRecord(user=user, api_token=token, source=source, model=model, **prices)
        try:
            admit(allocation, record, need)
        except Refused as refusal:
            refusals.append(refusal)
        else:
            record.need, record.has_spare = need, number + 1 < len(ways)
            return record
    raise first_reason(refusals)


def _ways(offers: list[Allocation], passed: Collection[UUID]) -> Iterator[tuple[Allocation, APIToken]]:
    """Which allocation, with which token, in the order in which they are tried."""
    for allocation in offers:
        for token in allocation.tokens:
            if token.pk not in passed:
                yield allocation, token


@transaction.atomic
def pass_over(record: UsageRecord, error_code: str, passed: set[UUID]) -> UsageRecord | None:
    """The upstream refused the token of this call before a word came: a call with another one takes its place.

    `passed` are those refused for it before. None when there is no other, or not enough left for it; then this call
    stays as it is.
    """
    assert record.user and record.need
    passed.add(record.api_token_id)
    try:
        with transaction.atomic():
            settle(record, Spent(UsageRecord.Outcome.FAILED, error_code=error_code))
            return reserve(
                record.user, source=record.source, model=record.model, need=record.need, passed=passed
            )
    except Refused:
        return None


@transaction.atomic
def settle(record: UsageRecord, spent: Spent) -> bool:
    """Book what the call took. Only the first settlement counts; tells whether this was it."""
    if spent.usage:
        origin = UsageRecord.Origin.REPORTED
        prompt_tokens, completion_tokens = spent.usage.prompt_tokens, spent.usage.completion_tokens
    else:
        origin = UsageRecord.Origin.ESTIMATED
        prompt_tokens, completion_tokens = spent.estimated_prompt_tokens, spent.estimated_completion_tokens
    is_first = record.close(
        spent.outcome,
        origin=origin,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        answered_model=spent.answered_model[:200],
        error_code=spent.error_code,
        first_token_ms=spent.first_token_ms,
        duration_ms=spent.duration_ms,
    )
    if is_first:
        if record.allocation_id:
            Allocation(pk=record.allocation_id).give_back(record)
        UsageDay.objects.all().add(record)
    return is_first
