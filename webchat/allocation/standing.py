"""What does a person have left, of what, until when, and at which pace may they use it? In words, for pages."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import money
from webchat.allocation.charts import grouped
from webchat.allocation.models import Allocation

# Percent of a limit; from here on the bar warns.
LOW = 10


@dataclass(frozen=True)
class Gauge:
    """A limit, and how much of it is left."""

    left: int | Decimal
    limit: int | Decimal

    @property
    def percent(self) -> int:
        """Of the limit; 1 as long as anything is left."""
        if self.left <= 0 or not self.limit:
            return 0
        return min(100, max(1, int(100 * self.left / self.limit)))

    @property
    def is_low(self) -> bool:
        return self.percent < LOW

    @property
    def sentence(self) -> str:
        left = max(self.left, 0)
        if isinstance(self.limit, Decimal):
            return _("%(left)s of %(limit)s left") % {
                "left": money.shown(Decimal(left)),
                "limit": money.shown(self.limit),
            }
        text = ngettext("%(left)s of %(limit)s token left", "%(left)s of %(limit)s tokens left", self.limit)
        return text % {"left": grouped(left), "limit": grouped(self.limit)}


@dataclass(frozen=True)
class Holding:
    """One allocation as the person sees it who may use it."""

    allocation: Allocation

    @cached_property
    def gauges(self) -> list[Gauge]:
        one, left = self.allocation, self.allocation.left
        pairs = ((left.tokens, one.token_limit), (left.cost, one.cost_limit))
        return [Gauge(left, limit) for left, limit in pairs if left is not None and limit is not None]

    @property
    def tightest(self) -> Gauge | None:
        return min(self.gauges, key=lambda gauge: gauge.percent, default=None)

    @property
    def is_used_up(self) -> bool:
        return self.allocation.left.is_nothing

    @property
    def title(self) -> str:
        if self.allocation.group:
            return _("Shared by the group “%(group)s”") % {"group": self.allocation.group}
        if self.allocation.is_everyones:
            return _("Shared by everyone who has no allocation of their own")
        return _("Yours alone")

    @property
    def arriving(self) -> str:
        """What is kept back for answers that are just being written."""
        kept = []
        if self.allocation.reserved_tokens and self.allocation.token_limit is not None:
            count = self.allocation.reserved_tokens
            kept.append(ngettext("%(count)s token", "%(count)s tokens", count) % {"count": grouped(count)})
        if self.allocation.reserved_cost and self.allocation.cost_limit is not None:
            kept.append(money.shown(self.allocation.reserved_cost))
        return (
            _("%(amount)s kept back for answers that are arriving") % {"amount": ", ".join(kept)}
            if kept
            else ""
        )

    @property
    def when(self) -> list[str]:
        """When it begins, is renewed, ends."""
        one, renews = self.allocation, self.allocation.renews
        said = []
        if one.valid_from and one.valid_from > timezone.now():
            said.append(_("Begins on %(day)s") % {"day": _day(one.valid_from)})
        if renews and one.has_limit and not (one.valid_until and one.valid_until <= _midnight(renews)):
            said.append(_("Renewed on %(day)s") % {"day": formats.date_format(renews)})
        if one.valid_until:
            said.append(_("Valid until %(day)s") % {"day": _day(one.valid_until)})
        return said

    @property
    def pace(self) -> list[str]:
        """What each person may do at a time."""
        one, said = self.allocation, []
        if count := one.requests_per_minute:
            said.append((ngettext("%(count)s request a minute", "%(count)s requests a minute", count), count))
        if count := one.answers_at_once:
            said.append((ngettext("%(count)s answer at once", "%(count)s answers at once", count), count))
        if count := one.max_n:
            text = ngettext(
                "%(count)s answer to a question (n)", "%(count)s answers to a question (n)", count
            )
            said.append((text, count))
        if count := one.max_tokens:
            text = ngettext("%(count)s token an answer", "%(count)s tokens an answer", count)
            said.append((text, count))
        return [
            _("at most %(amount)s") % {"amount": text % {"count": grouped(count)}} for text, count in said
        ]


@dataclass(frozen=True)
class Standing:
    """All that a person has, in the order in which it is used."""

    holdings: list[Holding]
    ended: datetime | None = None

    @property
    def current(self) -> Holding | None:
        """The one that the next question is taken from; when all are used up, the first."""
        usable = self._usable
        return next((one for one in usable if not one.is_used_up), usable[0] if usable else None)

    @property
    def others(self) -> int:
        """How many more there are to go on with."""
        return sum(not one.is_used_up for one in self._usable) - 1

    @property
    def _usable(self) -> list[Holding]:
        return [one for one in self.holdings if one.allocation.is_in_force]

    @property
    def is_used_up(self) -> bool:
        return self.current is None or self.current.is_used_up

    @property
    def has_limit(self) -> bool:
        return any(one.allocation.has_limit for one in self.holdings)

    @property
    def headline(self) -> str:
        """What is left, in a few words."""
        if self.current is None:
            return self._nothing()
        gauge = self.current.tightest
        return gauge.sentence if gauge else _("No limit on what you use")

    def _nothing(self) -> str:
        if self.holdings:
            return self.holdings[0].when[0]
        if self.ended:
            return _("Your allocation ended on %(day)s") % {"day": _day(self.ended)}
        return _("Nothing is allocated to you")


def of(user: User) -> Standing:
    """What is in force or begins later; what everyone may use counts for those who have nothing else now."""
    now = timezone.now()
    granted = list(Allocation.objects.concerning(user).select_related("group").prefetch_related(None))
    held = [one for one in granted if one.valid_until is None or one.valid_until > now]
    if any(one.is_in_force and not one.is_everyones for one in held):
        held = [one for one in held if not one.is_everyones]
    ended = max((end for one in granted if (end := one.valid_until) and end <= now), default=None)
    return Standing([Holding(one) for one in held], ended)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _day(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")
