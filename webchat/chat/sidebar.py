"""What stands in the sidebar? A person's conversations: pinned ones, then the others by the day of their last use."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from webchat.accounts.models import User
from webchat.chat.models import Conversation

PAGE = 40


@dataclass(frozen=True)
class Sidebar:
    pinned: list[Conversation]
    groups: list[tuple[str, list[Conversation]]]
    more_url: str


def load(user: User, page: int = 1) -> Sidebar:
    """One page of the list; pinned conversations stand on the first."""
    mine = Conversation.objects.owned_by(user).only("title", "is_pinned", "active_at")
    start = (page - 1) * PAGE
    found = list(mine.filter(is_pinned=False)[start : start + PAGE + 1])
    more_url = f"{reverse('chat:sidebar')}?page={page + 1}" if len(found) > PAGE else ""
    pinned = list(mine.filter(is_pinned=True)) if page == 1 else []
    return Sidebar(pinned, by_day(found[:PAGE]), more_url)


def by_day(conversations: list[Conversation]) -> list[tuple[str, list[Conversation]]]:
    today = timezone.localdate()
    grouped = groupby(conversations, key=lambda conversation: label(conversation.active_at, today))
    return [(name, list(group)) for name, group in grouped]


def label(moment: datetime, today: date) -> str:
    day = timezone.localdate(moment)
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day > today - timedelta(days=7):
        return _("Last 7 days")
    if day > today - timedelta(days=30):
        return _("Last 30 days")
    return date_format(day, "YEAR_MONTH_FORMAT")
