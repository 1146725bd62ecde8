"""Who waits for an admin's answer?"""

from webchat.accounts.models import User
from webchat.backoffice.tables import Table


def requests_waiting() -> int:
    """How many requests for more nobody has answered yet."""
    return 0


def requests_of(person: User) -> Table | None:
    """What this person has asked for, the latest first: when, what, and what became of it; None for nothing."""
    return None
