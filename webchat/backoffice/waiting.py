"""Who waits for an admin's answer?"""

from django.utils.translation import gettext as _

from webchat.accounts.models import User
from webchat.allocation.models import AllocationRequest
from webchat.backoffice.tables import Row, Table


def requests_waiting() -> int:
    """How many requests for more nobody has answered yet."""
    return AllocationRequest.objects.open().count()


def requests_of(person: User) -> Table | None:
    """What this person has asked for, the latest first: when, what, and what became of it; None for nothing."""
    rows = [
        Row([asked.asked_at, asked.in_words, asked.reason, asked.get_state_display(), asked.note])
        for asked in AllocationRequest.objects.filter(user=person)
    ]
    header = [_("Asked at"), _("Asked for"), _("Reason"), _("State"), _("Note")]
    return Table("requests", _("Requests for more"), header, rows, is_wide=True) if rows else None
