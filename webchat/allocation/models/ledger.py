"""Where did every token go? One entry for each change of an allocation's sums; nothing is ever changed or deleted."""

import hashlib
import json
from datetime import UTC
from decimal import Decimal
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.usage import UsageRecord
from webchat.allocation.money import NOTHING, MoneyField


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The ledger is only written on")

    def delete(self) -> NoReturn:
        raise TypeError("The ledger is only written on")


class LedgerEntry(models.Model):
    """By how much an allocation's sums changed, why, and who did it. The sums are what the entries add up to."""

    class Kind(models.TextChoices):
        GRANT = "grant", _("granted")
        CHANGE = "change", _("changed")
        REVOKE = "revoke", _("revoked")
        RESERVE = "reserve", _("reserved")
        SETTLE = "settle", _("settled")
        RELEASE = "release", _("released")
        ADJUST = "adjust", _("adjusted")
        EXPIRE = "expire", _("period ended")

    OF_TERMS = (Kind.GRANT, Kind.CHANGE, Kind.REVOKE)

    allocation = models.ForeignKey(
        "allocation.Allocation", models.PROTECT, related_name="entries", verbose_name=_("allocation")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    reserved_tokens = models.BigIntegerField(_("reserved tokens"), default=0)
    spent_tokens = models.BigIntegerField(_("spent tokens"), default=0)
    reserved_cost = MoneyField(_("reserved cost"), default=NOTHING)
    spent_cost = MoneyField(_("spent cost"), default=NOTHING)
    record = models.ForeignKey(
        UsageRecord, models.PROTECT, null=True, related_name="entries", verbose_name=_("call")
    )
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"), db_index=False
    )
    reason = models.TextField(_("reason"), blank=True)
    # What was granted, where that was granted or changed.
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    # Of what no call bears out: tells whether the row is as it was written.
    checksum = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("at"), default=timezone.now)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["record"], name="one_reservation_a_call", condition=models.Q(kind="reserve")
            ),
            models.UniqueConstraint(
                fields=["record"],
                name="one_settlement_a_call",
                condition=models.Q(kind__in=["settle", "release"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.get_kind_display()}"

    def digest(self) -> str:
        """Of all that the row says. No secret: it shows mistakes, not the work of somebody who knows how."""
        amounts = (self.reserved_tokens, self.spent_tokens, self.reserved_cost, self.spent_cost)
        content = [
            str(self.allocation_id),
            self.kind,
            *(f"{Decimal(amount):.9f}" for amount in amounts),
            self.reason,
            json.dumps(self.terms, sort_keys=True),
            self.created_at.astimezone(UTC).isoformat(),
        ]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()
