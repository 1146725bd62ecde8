"""What was bought? A token of the upstream, sealed; where it is spent, until when, and what it cost."""

import hashlib
import re
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation import vault
from webchat.upstream.client import Deadlines, UpstreamClient, normalise_base_url
from webchat.upstream.errors import RateLimited, describe

# How long a token that was refused is left alone before it is tried again.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
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


def usable(prefix: str = "") -> models.Q:
    """In use, and not past its last day. With the `prefix` of a relation, of whatever refers to a token."""
    today = timezone.localdate()
    is_in_time = models.Q(**{f"{prefix}expires_on": None}) | models.Q(**{f"{prefix}expires_on__gte": today})
    return models.Q(**{f"{prefix}is_active": True}) & is_in_time


class APITokenQuerySet(models.QuerySet["APIToken"]):
    def usable(self) -> Self:
        return self.filter(usable())

    def to_be_tried(self) -> Self:
        """The upstream refused them, and has been left alone with them for a while. Limits end by themselves."""
        return self.filter(retry_at__lte=timezone.now()).exclude(last_error__in=["", RateLimited.code])

    def add(self, secret: str, *, label: str, base_url: str) -> "APIToken":
        """Put a bought token into the vault. Raises `ValidationError`."""
        token = APIToken(label=label, base_url=base_url)
        token.replace_secret(secret)
        token.full_clean()
        token.save()
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
    vendor = models.CharField(_("bought from"), max_length=100, blank=True)
    price_paid = models.DecimalField(
        _("price paid"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    expires_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("After this day it is passed over.")
    )
    note = models.TextField(_("note"), blank=True)
    is_imported = models.BooleanField(default=False, editable=False)
    last_error = models.CharField(_("last error"), max_length=40, blank=True, editable=False)
    last_error_at = models.DateTimeField(_("last error at"), null=True, editable=False)
    # After this a token in trouble is tried again.
    retry_at = models.DateTimeField(null=True, editable=False)
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
        self.last_error, self.last_error_at, self.retry_at = "", None, None

    def clean(self) -> None:
        if self.bought_on and self.expires_on and self.expires_on < self.bought_on:
            raise ValidationError({"expires_on": _("The last day must not be before the day of buying.")})

    @transaction.atomic
    def hand_over(self, other: "APIToken", *, actor: User | None = None) -> int:
        """From now on whatever is to be spent with this token uses the other one; returns how many allocations.

        Answers that are arriving end with the token by which they were asked.
        """
        in_force = list(self.allocations.filter(revoked_at=None))
        for allocation in in_force:
            allocation.note_terms("change", actor, f"{self} → {other}")
        # Who has such an allocation before them would bring this token back.
        self.allocations.update(version=models.F("version") + 1)
        rows = self.chosen_by.all()
        rows.filter(allocation__chosen__api_token=other).delete()
        rows.update(api_token=other)
        return len(in_force)

    def client(self, *, is_only: bool = True) -> UpstreamClient:
        """A client that speaks with this token. Raises `VaultLocked`.

        When it is not the only one that could be asked, nobody waits until it takes requests again.
        """
        deadlines = Deadlines(
            connect=settings.UPSTREAM_CONNECT_SECONDS,
            first_content=settings.UPSTREAM_FIRST_CONTENT_SECONDS,
            idle=settings.UPSTREAM_IDLE_SECONDS,
            total=settings.UPSTREAM_TOTAL_SECONDS,
        )
        secret = vault.unseal(self.sealed)
        return UpstreamClient(self.base_url, secret, deadlines=deadlines, waits_for_token=is_only)

    @property
    def is_usable(self) -> bool:
        return self.is_active and (self.expires_on is None or self.expires_on >= timezone.localdate())

    @property
    def state(self) -> str | Promise:
        """In a word or two."""
        if not self.is_active:
            return _("out of use")
        if not self.is_usable:
            return _("expired")
        return _("refused by the AI service") if self.is_in_trouble else _("in use")

    @property
    def is_in_trouble(self) -> bool:
        """The upstream refuses it, as far as is known; another one is asked first."""
        is_over = self.last_error == RateLimited.code and self.retry_at and self.retry_at <= timezone.now()
        return bool(self.last_error) and not is_over

    def note_refusal(self, code: str, wait: float | None = None) -> bool:
        """Remember that the upstream refused this token, for now; tells whether that is news."""
        kept = APIToken.objects.filter(pk=self.pk).first()
        is_limit = code == RateLimited.code
        # A worse trouble is not over because of a limit, and would be news again.
        if kept is None or (is_limit and kept.last_error not in ("", code)):
            return False
        is_news = kept.last_error != code
        now = timezone.now()
        pause = FIRST_PAUSE if is_news or is_limit else kept.pause(now)
        changes: dict[str, Any] = {"retry_at": now + (timedelta(seconds=wait) if wait else pause)}
        if is_news:
            changes |= {"last_error": code, "last_error_at": now}
        # Of two who are refused at once one brings the news.
        this = APIToken.objects.filter(pk=self.pk, last_error=kept.last_error)
        return bool(this.update(**changes)) and is_news

    def pause(self, now: datetime) -> timedelta:
        """Until it is tried again: as long as the trouble lasts already, so that the pause doubles each time."""
        return min(max(now - (self.last_error_at or now), FIRST_PAUSE), LONGEST_PAUSE)

    def claim_try(self) -> bool:
        """Of several processes one tries whether it works again. Who tries may die of it: the next try is set first."""
        now = timezone.now()
        this = APIToken.objects.to_be_tried().filter(pk=self.pk, retry_at=self.retry_at)
        return bool(this.update(retry_at=now + self.pause(now)))

    def note_success(self) -> None:
        """The upstream takes this token again."""
        if self.last_error:
            APIToken.objects.filter(pk=self.pk).update(last_error="", last_error_at=None, retry_at=None)

    @property
    def last_error_sentence(self) -> str:
        return describe(self.last_error, {}) if self.last_error else ""


def fingerprint(secret: str) -> str:
    """Tells whether two secrets are the same. They are random and long, so a plain digest gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()
