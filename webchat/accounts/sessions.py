"""Is a session still good? It ends by its person, by an admin, by another password; or it is just lost."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from webchat import rows
from webchat.accounts.models import EndedSession, User


class SessionStore(DatabaseStore):
    """Django's, but that it leaves word. A row that is gone may have been lost; nobody has to be cut off for that."""

    def _get_session_from_db(self) -> Session | None:
        """Each page begins with it."""
        found = rows.find(Session, self.session_key)
        if found and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None

    @transaction.atomic
    def flush(self) -> None:
        """Signing out, however it comes about."""
        if self.session_key and SESSION_KEY in self:
            EndedSession.objects.note(self.session_key)
        super().flush()

    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    @transaction.atomic
    def cycle_key(self) -> None:
        """The same session under another key, as when its person changes the password."""
        old = self.session_key
        super().cycle_key()
        if old and self.session_key and SESSION_KEY in self:
            EndedSession.objects.note(old, moved_to=self.session_key)
            # Or it would no longer be in the person's list, and not be ended from there.
            UserSession.objects.filter(session_key=old).update(session_key=self.session_key)

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()


class State(Enum):
    GOOD = "good"
    # Nobody ended it: it has expired, or its row was deleted.
    LOST = "lost"
    # Signed out, deactivated, or another password was set elsewhere.
    ENDED = "ended"


@dataclass(eq=False)
class Ticket:
    """With what somebody came in. Kept while something is open that must end when the session ends."""

    session_key: str
    user_id: UUID
    auth_hash: str
    password: str = ""
    is_doubtful: bool = False

    @classmethod
    def of(cls, session: SessionBase, user: User) -> "Ticket":
        return cls(session.session_key or "", user.pk, session.get(HASH_SESSION_KEY, ""))

    def fits(self, password: str) -> bool:
        """Whether it was made with this (hashed) password. Asked every second for each: what is known is cheap."""
        if password != self.password and not self._matches(password):
            self.auth_hash = SessionStore(self.session_key).get(HASH_SESSION_KEY, "")
            if not self._matches(password):
                return False
        self.password = password
        return True

    def _matches(self, password: str) -> bool:
        user = User(password=password)
        possible = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
        return any(constant_time_compare(self.auth_hash, one) for one in possible)


def judge(tickets: Collection[Ticket]) -> dict[Ticket, State]:
    """How it stands with each, in two queries when nothing has happened."""
    there, ended = _follow(tickets)
    known = User.objects.filter(pk__in={ticket.user_id for ticket in tickets}, is_active=True)
    passwords = dict(known.values_list("pk", "password"))
    return {
        ticket: _state(ticket, passwords.get(ticket.user_id), ticket.session_key in there, ended)
        for ticket in tickets
    }


def _follow(tickets: Collection[Ticket]) -> tuple[set[str], set[str]]:
    """The keys that are there and those that were ended, when all that moved have been followed."""
    while True:
        keys = {ticket.session_key for ticket in tickets}
        valid = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        there = set(valid.values_list("session_key", flat=True))
        notes = EndedSession.objects.filter(session_key__in=keys - there)
        gone = dict(notes.values_list("session_key", "moved_to")) if keys - there else {}
        moved = {key: to for key, to in gone.items() if to}
        if not moved:
            return there, set(gone)
        for ticket in tickets:
            ticket.session_key = moved.get(ticket.session_key, ticket.session_key)


def _state(ticket: Ticket, password: str | None, is_there: bool, ended: set[str]) -> State:
    if password is None or ticket.session_key in ended:
        return State.ENDED
    if not ticket.fits(password):
        # Looked at twice: for a moment also the session in which the password is changed does not fit.
        state = State.ENDED if ticket.is_doubtful else State.GOOD
        ticket.is_doubtful = True
        return state
    ticket.is_doubtful = False
    return State.GOOD if is_there else State.LOST
