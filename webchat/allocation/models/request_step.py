"""How much more is meant? Asked for or granted; and what happened to a request, step by step."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
)
from django.db import models
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.money import MoneyField, shown

MOST_TOKENS = 10**12
LEAST_COST = Decimal("0.01")
LONGEST_TEXT = 2000
LATEST = timedelta(days=3653)
TEXT: list[Any] = [MaxLengthValidator(LONGEST_TEXT), ProhibitNullCharactersValidator()]


class More(models.Model):
    """So much more, until that day: asked for, or granted."""

    tokens = models.PositiveBigIntegerField(
        _("tokens"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_TOKENS)]
    )
    cost = MoneyField(  # type: ignore[misc]  # None where no money is meant
        _("money"), null=True, blank=True, validators=[MinValueValidator(LEAST_COST)]
    )
    until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        if self.tokens is None and self.cost is None:
            raise ValidationError(_("Say how much: tokens, money, or both."))
        today = timezone.localdate()
        if self.until and self.until < today:
            raise ValidationError({"until": _("This day is over. Choose a later one, or none.")})
        if self.until and self.until > today + LATEST:
            raise ValidationError(
                {"until": _("This is more than ten years away. Choose an earlier day, or none.")}
            )

    @property
    def in_words(self) -> str:
        text = amounts(self.tokens, self.cost)
        if not self.until:
            return text
        return gettext("%(amount)s until %(day)s") % {"amount": text, "day": formats.date_format(self.until)}


def amounts(tokens: int | None, cost: Decimal | None) -> str:
    """For people; nothing where neither is meant."""
    words = []
    if tokens is not None:
        count = formats.number_format(tokens, force_grouping=True)
        words.append(ngettext("%(count)s token", "%(count)s tokens", tokens) % {"count": count})
    if cost is not None:
        words.append(shown(cost))
    return ", ".join(words)


class RequestStep(More):
    """One thing that happened to a request; steps are only added."""

    class Kind(models.TextChoices):
        ASKED = "asked", pgettext_lazy("request", "asked")
        ASKED_AGAIN = "again", pgettext_lazy("request", "asked for something else")
        WITHDRAWN = "withdrawn", pgettext_lazy("request", "withdrawn")
        GRANTED = "granted", pgettext_lazy("request", "granted")
        CHANGED = "changed", pgettext_lazy("request", "granted with changes")
        REFUSED = "refused", pgettext_lazy("request", "refused")

    request = models.ForeignKey("allocation.AllocationRequest", models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(blank=True, validators=TEXT)
    # A limit was raised for good, instead of something put on top once.
    is_raise = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.in_words}"

    @property
    def is_gift(self) -> bool:
        """Something was put on top, once."""
        return not self.is_raise and self.kind in (self.Kind.GRANTED, self.Kind.CHANGED)
