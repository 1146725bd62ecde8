"""What depends on an API token, and what has it brought? To be known before it is taken out of use."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Max, Sum
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.allocation.models import Allocation, APIToken, UsageDay, UsageRecord
from webchat.allocation.money import NOTHING, shown

RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Spent:
    calls: int
    tokens: int
    cost: Decimal

    @property
    def sentence(self) -> str:
        text = _("Calls: %(calls)s, tokens: %(tokens)s, cost: %(cost)s")
        numbers = {
            name: formats.number_format(getattr(self, name), force_grouping=True)
            for name in ("calls", "tokens")
        }
        return text % {**numbers, "cost": shown(self.cost)}


@dataclass(frozen=True)
class Reach:
    # Those that name the token, and those that use any that is in use.
    allocations: list[Allocation]
    any_token: list[Allocation]
    named: int
    running: int
    ever: Spent
    recent: Spent
    last_used_at: datetime | None
    price_paid: Decimal | None

    @classmethod
    def of(cls, token: APIToken) -> "Reach":
        in_force = Allocation.objects.filter(revoked_at=None).select_related("user", "group")
        return cls(
            allocations=list(in_force.filter(api_tokens=token)),
            any_token=list(in_force.filter(api_tokens=None)) if token.is_usable else [],
            named=token.chosen_by.count(),
            running=token.usage.filter(outcome=UsageRecord.Outcome.RESERVED).count(),
            ever=_spent(token, date.min),
            recent=_spent(token, timezone.localdate() - RECENT),
            last_used_at=_last_used_at(token),
            price_paid=token.price_paid,
        )

    @property
    def bonds(self) -> str:
        """Why the token can't be deleted; empty if nothing speaks against it."""
        reasons = []
        if self.named:
            text = ngettext(
                "%(count)d allocation names it",
                "%(count)d allocations name it, ended ones included",
                self.named,
            )
            reasons.append(text % {"count": self.named})
        if self.last_used_at:
            reasons.append(_("calls were made with it, which stay on record"))
        if not reasons:
            return ""
        text = _("This token can't be deleted: %(reasons)s. Take it out of use instead.")
        return text % {"reasons": "; ".join(reasons)}

    @property
    def paid(self) -> str:
        """What was paid for it, and how much of that is spent by the prices of the models."""
        if not self.price_paid:
            return ""
        text = _("%(paid)s, of which %(percent)d %% is spent")
        return text % {"paid": shown(self.price_paid), "percent": self.ever.cost / self.price_paid * 100}


def _spent(token: APIToken, since: date) -> Spent:
    days = UsageDay.objects.filter(api_token=token, day__gte=since)
    used = days.aggregate(
        calls=Sum("calls", default=0),
        prompt=Sum("prompt_tokens", default=0),
        completion=Sum("completion_tokens", default=0),
        cost=Sum("cost", default=NOTHING),
    )
    return Spent(used["calls"], used["prompt"] + used["completion"], used["cost"])


def _last_used_at(token: APIToken) -> datetime | None:
    """Found by its day: a token in use has hundreds of thousands of calls."""
    last = UsageDay.objects.filter(api_token=token).aggregate(day=Max("day"))["day"]
    calls = token.usage.order_by("-created_at")
    if last:
        calls = calls.filter(created_at__gte=timezone.make_aware(datetime.combine(last, time.min)))
    return calls.values_list("created_at", flat=True).first()
