"""May this call be made with this allocation? Its terms, what is left of it, and how much its person asks at once."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from webchat.allocation import refusals
from webchat.allocation.models import Allocation, Need, UsageRecord

# When who asks does not say how long an answer may be, and what they may spend is limited: so long. And as short
# as this, when no more is left.
USUAL_ANSWER = 4096
SHORTEST_ANSWER = 256
PACE = timedelta(minutes=1)


def admit(allocation: Allocation, record: UsageRecord, need: Need) -> None:
    """Reserve for this call what it may take at most, and save its record. Raises `Refused`."""
    _check_terms(allocation, record.model, need)
    has_pace = allocation.requests_per_minute is not None or allocation.answers_at_once is not None
    # A title is nothing that anybody has asked for.
    if not has_pace or record.source == UsageRecord.Source.TITLE:
        _reserve(allocation, record, need)
        return
    with transaction.atomic():
        # What is reserved first holds up the others until it is clear that this one is not too many.
        _reserve(allocation, record, need)
        _check_pace(allocation, record)


def _check_terms(allocation: Allocation, model: str, need: Need) -> None:
    if allocation.allowed_models and model not in allocation.allowed_models:
        raise refusals.ModelNotAllowed(model, allocation.allowed_models)
    if allocation.max_n is not None and need.n > allocation.max_n:
        raise refusals.TooManyAnswers(allocation.max_n)
    if allocation.max_tokens is not None and (need.max_tokens or 0) > allocation.max_tokens:
        raise refusals.AnswerTooLong(allocation.max_tokens)


def _reserve(allocation: Allocation, record: UsageRecord, need: Need) -> None:
    _fit(allocation, record, need)
    if allocation.take(record):
        return
    # Others were faster; perhaps a shorter answer still fits.
    allocation.refresh_from_db(fields=[*allocation.SUMS, "token_limit", "cost_limit", "revoked_at"])
    _fit(allocation, record, need)
    if allocation.revoked_at or not allocation.take(record):
        raise refusals.NothingLeft(allocation.left.tokens, allocation.left.cost, allocation.renews)


def _fit(allocation: Allocation, record: UsageRecord, need: Need) -> None:
    """How long each answer may be, and what that may take at most."""
    longest = min(need.room, allocation.max_tokens or USUAL_ANSWER)
    if not need.has_answer:
        longest = 0
    elif need.max_tokens is not None:
        longest = need.max_tokens
    elif allocation.has_limit:
        fitting = _affordable(allocation, record, need, longest)
        record.max_tokens = longest = fitting if fitting >= min(SHORTEST_ANSWER, longest) else longest
    elif allocation.max_tokens is not None:
        record.max_tokens = longest
    record.n = need.n
    record.reserved_tokens = (need.prompt_tokens + longest) * need.n
    record.reserved_cost = record.cost(
        prompt_tokens=need.prompt_tokens * need.n,
        completion_tokens=longest * need.n,
        characters=need.characters,
        seconds=need.seconds,
        images=need.images,
    )


def _affordable(allocation: Allocation, record: UsageRecord, need: Need, longest: int) -> int:
    """The tokens of each answer for which there is enough left, at most `longest`."""
    left = allocation.left
    if left.tokens is not None:
        longest = min(longest, left.tokens // need.n - need.prompt_tokens)
    if left.cost is not None and record.completion_price:
        for_answers = left.cost / need.n - record.cost(prompt_tokens=need.prompt_tokens)
        longest = min(longest, int(for_answers * 10**6 / record.completion_price))
    return max(longest, 0)


def _check_pace(allocation: Allocation, record: UsageRecord) -> None:
    """Of each person for themselves, also when a group shares the budget."""
    theirs = allocation.usage.filter(user=record.user).exclude(source=UsageRecord.Source.TITLE)
    if allocation.answers_at_once is not None:
        running = theirs.running().aggregate(n=models.Sum("n", default=0))["n"]
        if running > allocation.answers_at_once:
            raise refusals.TooManyAtOnce(allocation.answers_at_once)
    if allocation.requests_per_minute is not None:
        recent = theirs.filter(created_at__gt=timezone.now() - PACE).order_by("-created_at")
        times = list(recent.values_list("created_at", flat=True)[: allocation.requests_per_minute + 1])
        if len(times) > allocation.requests_per_minute:
            wait = (times[-1] + PACE - timezone.now()).total_seconds()
            raise refusals.TooManyRequests(allocation.requests_per_minute, max(1, round(wait)))
