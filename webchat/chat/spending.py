"""What has a conversation taken so far, and which of them took how much?"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import money
from webchat.allocation.charts import grouped
from webchat.allocation.models import UsageRecord
from webchat.allocation.money import NOTHING
from webchat.allocation.span import Span
from webchat.chat.models import Conversation, Message

LISTED = 50
_tokens = F("usage__prompt_tokens") + F("usage__completion_tokens")


@dataclass(frozen=True)
class Total:
    """Of all the calls of a conversation, on whatever branch."""

    tokens: int = 0
    cost: Decimal = NOTHING

    @property
    def mark(self) -> str:
        """Tells whether a page shows it as it is."""
        return f"{self.tokens}-{self.cost.normalize():f}" if self.tokens or self.cost else ""

    @classmethod
    def read(cls, mark: str) -> "Total":
        """As a page shows it; what cannot be read is nothing, until somebody looks."""
        tokens, _dash, cost = mark.partition("-")
        try:
            return cls(int(tokens), Decimal(cost))
        except (ValueError, ArithmeticError):
            return cls()

    def and_of(self, usage: UsageRecord) -> "Total":
        return Total(self.tokens + usage.total_tokens, self.cost + usage.spent_cost)

    @property
    def sentence(self) -> str:
        if not self.mark:
            return ""
        text = ngettext("%(count)s token", "%(count)s tokens", self.tokens) % {"count": grouped(self.tokens)}
        return f"{text} · {money.shown(self.cost)}" if self.cost else text


def of(conversation: Conversation) -> Total:
    sums = _one_a_call(conversation.messages.all()).aggregate(
        tokens=Sum(_tokens, default=0), cost=Sum("usage__spent_cost", default=NOTHING)
    )
    return Total(sums["tokens"], sums["cost"])


@dataclass(frozen=True)
class Share:
    """What a conversation has in what was used."""

    pk: UUID
    title: str
    is_deleted: bool
    calls: int
    tokens: int
    cost: Decimal

    @property
    def cost_shown(self) -> str:
        return money.shown(self.cost)


def by_conversation(user: User, span: Span) -> list[Share]:
    """The dearest first. Found from the person's calls in these days, by their index."""
    first, end = span.moments
    mine = Message.objects.filter(
        usage__user=user, usage__created_at__gte=first, usage__created_at__lt=end, conversation__owner=user
    )
    rows = (
        _one_a_call(mine)
        .order_by()
        .values("conversation_id", "conversation__title", "conversation__deleted_at")
        .annotate(
            calls=Count("pk"), tokens=Sum(_tokens, default=0), cost=Sum("usage__spent_cost", default=NOTHING)
        )
        .order_by("-cost", "-tokens", "conversation_id")[:LISTED]
        .values_list(
            "conversation_id", "conversation__title", "conversation__deleted_at", "calls", "tokens", "cost"
        )
    )
    return [
        Share(pk, title or _("Untitled"), deleted is not None, *sums) for pk, title, deleted, *sums in rows
    ]


def _one_a_call(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Several answers of one call share its record, which counts once."""
    return messages.filter(choice=0, usage__isnull=False)
