"""What did each call take?"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.api_token import APIToken


class UsageRecord(models.Model):
    """One call to the upstream: reserved before it is made, settled exactly once, whatever its end."""

    class Source(models.TextChoices):
        CHAT = "chat", _("chat")
        TITLE = "title", _("title")
        PROBE = "probe", _("test of a token")

    class Outcome(models.TextChoices):
        RESERVED = "reserved", _("running")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    class Origin(models.TextChoices):
        REPORTED = "reported", _("reported")
        ESTIMATED = "estimated", _("estimated")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="usage", verbose_name=_("person"))
    api_token = models.ForeignKey(APIToken, models.PROTECT, related_name="usage", verbose_name=_("API token"))
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    model = models.CharField(_("model asked"), max_length=200)
    answered_model = models.CharField(_("model that answered"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, default=Outcome.RESERVED)
    origin = models.CharField(_("origin of the numbers"), max_length=20, choices=Origin.choices, blank=True)
    reserved_tokens = models.PositiveBigIntegerField(_("reserved tokens"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.PositiveBigIntegerField(_("completion tokens"), default=0)
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    first_token_ms = models.PositiveIntegerField(_("time to the first token (ms)"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True)
    created_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["user", "created_at"])]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.model} {self.total_tokens}"

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
