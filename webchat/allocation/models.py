"""What may you spend, what did you spend? Upstream tokens, who may use them, and one record for each call."""

import hashlib
import re
import uuid
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation import vault
from webchat.upstream.client import Deadlines, UpstreamClient, normalise_base_url
from webchat.upstream.errors import describe

SECRET = re.compile(r"[\x21-\x7e]{8,512}")


def validate_secret(secret: str) -> None:
    """A line break or a blank inside a credential would end up in error texts of the HTTP layer."""
    if not SECRET.fullmatch(secret):
        raise ValidationError(_("A token is one line of 8 to 512 visible ASCII characters without blanks."))


def validate_base_url(url: str) -> None:
    try:
        normalise_base_url(url)
    except ValueError:
        raise ValidationError(
            _(
                "This is no address of an API. It looks like https://api.example.com or https://api.example.com/v1."
            )
        ) from None


class APITokenQuerySet(models.QuerySet["APIToken"]):
    def usable(self) -> Self:
        return self.filter(is_active=True)

    def add(self, secret: str, *, label: str, base_url: str) -> "APIToken":
        """Put a bought token into the vault. Raises `ValidationError`."""
        token = APIToken(label=label, base_url=base_url)
        token.replace_secret(secret)
        token.full_clean()
        token.save()
        return token

    @transaction.atomic
    def import_from_environment(self) -> "APIToken | None":
        """Keep `UPSTREAM_API_KEY` as the token of everyone, unless an admin has given everyone another one."""
        secret = settings.UPSTREAM_API_KEY
        if not secret or not settings.UPSTREAM_BASE_URL:
            return None
        token = self.filter(fingerprint=fingerprint(secret)).first()
        if token is None:
            token = self.add(secret, label="UPSTREAM_API_KEY", base_url=settings.UPSTREAM_BASE_URL)
        # Address and secret both come from the operator, so the token may follow its address.
        validate_base_url(settings.UPSTREAM_BASE_URL)
        token.base_url, token.is_imported = settings.UPSTREAM_BASE_URL, True
        token.save(update_fields=["base_url", "is_imported"])
        Allocation.objects.filter(user=None, api_token__is_imported=True).update(api_token=token)
        Allocation.objects.get_or_create(user=None, defaults={"api_token": token})
        return token

    @transaction.atomic
    def reseal(self) -> int:
        """Bring every secret under the newest key; returns how many. Raises `VaultLocked`."""
        for token in self.select_for_update():
            self.filter(pk=token.pk).update(sealed=vault.reseal(token.sealed))
        return self.count()


class APIToken(models.Model):
    """A token bought from the upstream. Its secret goes in and never comes out, but for the call itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(_("label"), max_length=100)
    base_url = models.CharField(
        _("base URL"),
        max_length=300,
        validators=[validate_base_url],
        help_text=_("With or without a trailing slash and /v1."),
    )
    sealed = models.TextField(editable=False)
    last_four = models.CharField(_("ends in"), max_length=4, editable=False)
    fingerprint = models.CharField(
        max_length=64,
        unique=True,
        editable=False,
        error_messages={"unique": _("This token is in the vault already.")},
    )
    is_active = models.BooleanField(_("in use"), default=True)
    is_imported = models.BooleanField(default=False, editable=False)
    last_error = models.CharField(_("last error"), max_length=40, blank=True, editable=False)
    last_error_at = models.DateTimeField(_("last error at"), null=True, editable=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = APITokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.label} (…{self.last_four})"

    def replace_secret(self, secret: str) -> None:
        """Seal another secret; the caller saves. Raises `ValidationError`."""
        secret = secret.strip()
        validate_secret(secret)
        self.sealed = vault.seal(secret)
        self.last_four = secret[-4:]
        self.fingerprint = fingerprint(secret)
        self.last_error, self.last_error_at = "", None

    def client(self) -> UpstreamClient:
        """A client that speaks with this token. Raises `VaultLocked`."""
        deadlines = Deadlines(
            connect=settings.UPSTREAM_CONNECT_SECONDS,
            first_content=settings.UPSTREAM_FIRST_CONTENT_SECONDS,
            idle=settings.UPSTREAM_IDLE_SECONDS,
            total=settings.UPSTREAM_TOTAL_SECONDS,
        )
        return UpstreamClient(self.base_url, vault.unseal(self.sealed), deadlines=deadlines)

    def note_refusal(self, code: str) -> bool:
        """Remember that the upstream refused this token; tells whether that is news."""
        others = APIToken.objects.filter(pk=self.pk).exclude(last_error=code)
        return bool(others.update(last_error=code, last_error_at=timezone.now()))

    def note_success(self) -> None:
        """The upstream takes this token again."""
        if self.last_error:
            APIToken.objects.filter(pk=self.pk).update(last_error="", last_error_at=None)

    @property
    def last_error_sentence(self) -> str:
        return describe(self.last_error, {}) if self.last_error else ""


def fingerprint(secret: str) -> str:
    """Tells whether two secrets are the same. They are random and long, so a plain digest gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def open_to(self, user: User) -> Self:
        """What this person may use, their own before everyone's."""
        mine_or_everyones = models.Q(user=user) | models.Q(user=None)
        return (
            self.filter(mine_or_everyones, api_token__is_active=True)
            .select_related("api_token")
            .order_by(models.F("user").asc(nulls_last=True))
        )


class Allocation(models.Model):
    """Who may use which token. Without a person it is everyone's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="allocation",
        verbose_name=_("person"),
        help_text=_("Leave empty to let everyone use the token who has none of their own."),
    )
    api_token = models.ForeignKey(
        APIToken, models.PROTECT, related_name="allocations", verbose_name=_("API token")
    )
    created_at = models.DateTimeField(_("granted"), auto_now_add=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(user=None),
                name="one_allocation_for_everyone",
                violation_error_message=_("There is an allocation for everyone already; change that one."),
            )
        ]

    def __str__(self) -> str:
        everyone = _("Everyone")
        return f"{self.user or everyone} → {self.api_token}"


class UsageRecord(models.Model):
    """One call to the upstream: reserved before it is made, settled exactly once, whatever its end."""

    class Source(models.TextChoices):
        CHAT = "chat", _("chat")
        TITLE = "title", _("title")

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


class ModelInfoQuerySet(models.QuerySet["ModelInfo"]):
    def offered(self) -> Self:
        return self.filter(is_available=True)


class ModelInfo(models.Model):
    """A model as the upstream last listed it."""

    name = models.CharField(max_length=200, unique=True)
    owned_by = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20)
    position = models.PositiveIntegerField()
    is_available = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    objects = ModelInfoQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
