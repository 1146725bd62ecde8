"""What did each call take?"""

import uuid
from dataclasses import dataclass
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.api_token import APIToken
from webchat.allocation.models.model_info import Prices
from webchat.allocation.money import NOTHING, MoneyField
from webchat.allocation.statements import close
from webchat.upstream import rules


@dataclass(frozen=True)
class Need:
    """What a call may take at most: what there is to read, and n answers of up to `max_tokens`.

    `max_tokens` is None when who asks leaves it open; then an answer may fill the `room` that the context leaves.
    """

    prompt_tokens: int = 0
    max_tokens: int | None = None
    room: int = int(rules.MAX_TOKENS.high)
    n: int = 1
    characters: int = 0
    seconds: int = 0
    images: int = 0
    has_answer: bool = True


class UsageRecordQuerySet(models.QuerySet["UsageRecord"]):
    def running(self) -> Self:
        return self.filter(outcome=UsageRecord.Outcome.RESERVED)


class UsageRecord(Prices):
    """One call to the upstream: reserved before it is made, settled exactly once, whatever its end."""

    class Source(models.TextChoices):
        CHAT = "chat", _("chat")
        TITLE = "title", _("title")
        PROBE = "probe", _("test of a token")
        SPEECH = "speech", _("reading aloud")
        TRANSCRIPTION = "transcription", _("transcription")
        IMAGE = "image", _("images")
        GATEWAY = "gateway", _("gateway")

    class Outcome(models.TextChoices):
        RESERVED = "reserved", _("running")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    class Origin(models.TextChoices):
        REPORTED = "reported", _("reported")
        ESTIMATED = "estimated", _("estimated")
        CORRECTED = "corrected", _("corrected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="usage", verbose_name=_("person"))
    # None for the test of a token, which nobody was granted.
    allocation = models.ForeignKey(
        "allocation.Allocation",
        models.PROTECT,
        null=True,
        related_name="usage",
        verbose_name=_("allocation"),
    )
    api_token = models.ForeignKey(APIToken, models.PROTECT, related_name="usage", verbose_name=_("API token"))
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    model = models.CharField(_("model asked"), max_length=200)
    answered_model = models.CharField(_("model that answered"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, default=Outcome.RESERVED)
    origin = models.CharField(_("origin of the numbers"), max_length=20, choices=Origin.choices, blank=True)
    n = models.PositiveSmallIntegerField(_("answers"), default=1)
    # As it is sent, when it was not chosen by who asked but by what is left.
    max_tokens = models.PositiveIntegerField(_("most tokens of an answer"), null=True)
    reserved_tokens = models.PositiveBigIntegerField(_("reserved tokens"), default=0)
    reserved_cost = MoneyField(_("reserved cost"), default=NOTHING)
    prompt_tokens = models.PositiveBigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.PositiveBigIntegerField(_("completion tokens"), default=0)
    characters = models.PositiveBigIntegerField(_("characters"), default=0)
    seconds = models.PositiveBigIntegerField(_("seconds of sound"), default=0)
    images = models.PositiveIntegerField(_("images"), default=0)
    spent_cost = MoneyField(_("cost"), default=NOTHING)
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    first_token_ms = models.PositiveIntegerField(_("time to the first token (ms)"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True)
    created_at = models.DateTimeField(_("asked at"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    objects = UsageRecordQuerySet.as_manager()

    # For as long as the call runs: what it was admitted for, and whether there is another token to ask with, should
    # the upstream refuse this one.
    need: Need | None = None
    has_spare = False

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "created_at"]),
            models.Index(fields=["created_at"], name="usage_by_day"),
            models.Index(fields=["allocation", "user", "created_at"], name="usage_of_allocation"),
            models.Index(fields=["created_at"], name="running_calls", condition=models.Q(outcome="reserved")),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.model} {self.total_tokens}"

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def took(self) -> dict[str, int]:
        return {
            name: getattr(self, name)
            for name in ("prompt_tokens", "completion_tokens", "characters", "seconds", "images")
        }

    @property
    def took_nothing(self) -> bool:
        return not any(self.took.values())

    def close(self, outcome: str, **facts: Any) -> bool:
        """Leave `reserved` for good, with what the call took. Of two who close a record one does."""
        for name, value in facts.items():
            setattr(self, name, value)
        self.outcome, self.settled_at, self.spent_cost = outcome, timezone.now(), self.cost(**self.took)
        changed = {name: getattr(self, name) for name in (*facts, "outcome", "settled_at", "spent_cost")}
        return close(self, changed)
