"""How much is left? Limits, and the sums of what is spent and reserved, which change with a ledger entry alone."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.ledger import LedgerEntry
from webchat.allocation.models.usage import UsageRecord
from webchat.allocation.money import NOTHING, MoneyField
from webchat.allocation.periods import Period
from webchat.allocation.statements import BOOK, TAKE, execute, insert, prepared

Kind = LedgerEntry.Kind


@dataclass(frozen=True)
class Left:
    """What may still be spent; None where there is no limit. Below zero when a limit was lowered."""

    tokens: int | None
    cost: Decimal | None

    @property
    def is_nothing(self) -> bool:
        return (self.tokens is not None and self.tokens <= 0) or (self.cost is not None and self.cost <= 0)


class Budget(models.Model):
    """Limits for a period, and cached sums. The sums are what the ledger's entries add up to."""

    token_limit = models.PositiveBigIntegerField(
        _("tokens"), null=True, blank=True, help_text=_("Leave empty for no limit.")
    )
    cost_limit = MoneyField(  # type: ignore[misc]  # None where there is no limit
        _("money"),
        null=True,
        blank=True,
        validators=[MinValueValidator(NOTHING)],
        help_text=_("Leave empty for no limit."),
    )
    period = models.CharField(_("renewed"), max_length=5, choices=Period.choices, default=Period.MONTH)
    # The first day of the period to which the sums belong; None before the first call.
    period_began = models.DateField(null=True, editable=False)
    spent_tokens = models.BigIntegerField(_("spent tokens"), default=0, editable=False)
    reserved_tokens = models.BigIntegerField(_("reserved tokens"), default=0, editable=False)
    spent_cost = MoneyField(_("spent"), default=NOTHING, editable=False)
    reserved_cost = MoneyField(_("reserved"), default=NOTHING, editable=False)

    SUMS = ("period_began", "spent_tokens", "reserved_tokens", "spent_cost", "reserved_cost")

    class Meta:
        abstract = True

    @property
    def has_limit(self) -> bool:
        return self.token_limit is not None or self.cost_limit is not None

    @property
    def is_of_earlier_period(self) -> bool:
        return self.period_began is None or self.period_began < Period(self.period).begins()

    @property
    def spent(self) -> tuple[int, Decimal]:
        """In the period that is running."""
        return (0, NOTHING) if self.is_of_earlier_period else (self.spent_tokens, self.spent_cost)

    @property
    def left(self) -> Left:
        tokens, cost = self.spent
        return Left(
            None if self.token_limit is None else self.token_limit - tokens - self.reserved_tokens,
            None if self.cost_limit is None else self.cost_limit - cost - self.reserved_cost,
        )

    @property
    def renews(self) -> date | None:
        return Period(self.period).renews()

    def take(self, record: UsageRecord) -> bool:
        """Reserve what the record may take at most, if there is so much left; saves the record with it.

        One conditional UPDATE: of many who ask at once, no more are admitted than the budget is for.
        """
        began = self._begin_period()
        wanted = prepared(
            type(self),
            id=self.pk,
            period_began=began,
            reserved_tokens=record.reserved_tokens,
            reserved_cost=record.reserved_cost,
        )
        if not execute(TAKE, wanted):
            return False
        record.allocation = self  # type: ignore[assignment]
        insert(record)
        self._note(
            Kind.RESERVE,
            record=record,
            reserved_tokens=record.reserved_tokens,
            reserved_cost=record.reserved_cost,
        )
        return True

    def give_back(self, record: UsageRecord) -> None:
        """Book what a closed record took, and let go of the rest that was reserved for it."""
        self._book(
            Kind.RELEASE if record.took_nothing else Kind.SETTLE,
            record=record,
            reserved_tokens=-record.reserved_tokens,
            reserved_cost=-record.reserved_cost,
            spent_tokens=record.total_tokens,
            spent_cost=record.spent_cost,
        )

    @transaction.atomic
    def adjust(self, *, tokens: int = 0, cost: Decimal = NOTHING, actor: User | None, reason: str) -> None:
        """Correct what counts as spent: below zero gives something back."""
        self._begin_period()
        self._book(Kind.ADJUST, spent_tokens=tokens, spent_cost=cost, actor=actor, reason=reason)

    def _begin_period(self) -> date:
        """The first day of the period that is running; what an earlier one had spent counts no more."""
        begins = Period(self.period).begins()
        if self.period_began and self.period_began >= begins:
            # Also when the clock was set back, or the period was made longer.
            return self.period_began
        with transaction.atomic():
            kept = self._kept().select_for_update().get()
            if kept.period_began is None or kept.period_began < begins:
                if kept.spent_tokens or kept.spent_cost:
                    self._book(Kind.EXPIRE, spent_tokens=-kept.spent_tokens, spent_cost=-kept.spent_cost)
                self._kept().update(period_began=begins)
                kept.period_began, kept.spent_tokens, kept.spent_cost = begins, 0, NOTHING
        self.period_began, self.spent_tokens, self.spent_cost = (
            kept.period_began,
            kept.spent_tokens,
            kept.spent_cost,
        )
        return kept.period_began  # type: ignore[no-any-return]

    def _book(
        self,
        kind: str,
        *,
        reserved_tokens: int = 0,
        reserved_cost: Decimal = NOTHING,
        spent_tokens: int = 0,
        spent_cost: Decimal = NOTHING,
        **about: Any,
    ) -> None:
        changes = {
            "reserved_tokens": reserved_tokens,
            "reserved_cost": reserved_cost,
            "spent_tokens": spent_tokens,
            "spent_cost": spent_cost,
        }
        execute(BOOK, prepared(type(self), id=self.pk, **changes))
        self._note(kind, **changes, **about)

    def _note(self, kind: str, **entry: Any) -> None:
        row = LedgerEntry(allocation_id=self.pk, kind=kind, **entry)
        row.checksum = "" if row.record_id else row.digest()
        insert(row)

    def _kept(self) -> Any:
        return type(self)._default_manager.filter(pk=self.pk)
