"""Who may not go on? Sockets are closed and answers stop when that ends by which they were opened.

The database is asked every second, once for all that is open in this process: it knows what happened in any other.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseProblem

from webchat import background
from webchat.accounts.sessions import State, Ticket, judge
from webchat.background import in_database, look_up
from webchat.chat import live
from webchat.chat.models import Conversation, Message

NOT_SIGNED_IN, NOT_FOUND, TOO_MANY, COME_BACK = 4401, 4404, 4429, 4012

LOOK_SECONDS = 1.0
# While answers arrive: to be stopped takes them up to another 0.8 s.
LOOK_OFTEN_SECONDS = 0.5
# What is doubtful is looked at again: a session whose person is just changing the password.
LOOK_AGAIN_SECONDS = 0.2
# The page connects again, with whatever is true by then.
OLDEST_SECONDS = 12 * 3600
# More than anybody looks at. Tabs that were forgotten make room, and connect again when they are looked at.
MOST_OF_ONE_PERSON = 50

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Visit:
    """An open socket."""

    ticket: Ticket
    conversation_pk: UUID
    close: Callable[[int], Coroutine[Any, Any, None]]
    opened_at: float = field(default_factory=time.monotonic)


_visits: set[Visit] = set()
_asked: dict[UUID, Ticket] = {}
_watchers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def enter(visit: Visit) -> None:
    """From now on this socket is closed when access ends."""
    watch()
    _make_room(visit.ticket.user_id)
    _visits.add(visit)


def _make_room(user_id: UUID) -> None:
    theirs = [visit for visit in _visits if visit.ticket.user_id == user_id]
    if len(theirs) >= MOST_OF_ONE_PERSON:
        oldest = min(theirs, key=lambda visit: visit.opened_at)
        _visits.discard(oldest)
        background.spawn(oldest.close(TOO_MANY), name="close a socket")


def leave(visit: Visit) -> None:
    _visits.discard(visit)


def asked(answers: Iterable[Message], ticket: Ticket) -> None:
    """These answers are arriving here; they stop when access is ended. Not when it is lost: they were paid for."""
    _asked.update((answer.pk, ticket) for answer in answers)


def watch() -> None:
    """Look as long as this process lives; asked twice, it is done once."""
    loop = asyncio.get_running_loop()
    if loop not in _watchers or _watchers[loop].done():
        _watchers.clear()
        _visits.clear()
        _watchers[loop] = background.spawn(_look_on(), name="access", endless=True)


async def _look_on() -> None:
    while True:
        for pk in dict(_asked).keys() - live.running():
            _asked.pop(pk, None)
        has_doubts = False
        if _visits or _asked:
            try:
                has_doubts = await _look()
            except DatabaseProblem:
                logger.warning("The database is away; whose access has ended is found out later")
            except Exception:
                # Nobody else looks.
                logger.exception("Whose access has ended was not found out; it is tried again")
        pause = LOOK_OFTEN_SECONDS if _asked else LOOK_SECONDS
        await asyncio.sleep(LOOK_AGAIN_SECONDS if has_doubts else pause)


async def _look() -> bool:
    """Tells whether there are doubts, so that one should soon look again."""
    visits, asked = list(_visits), dict(_asked)
    over, ended = await look_up(_judge, visits, asked)
    for visit, code in over:
        _visits.discard(visit)
        background.spawn(visit.close(code), name="close a socket")
    for reason, answers in ended.items():
        if answers:
            await in_database(Message.objects.filter(pk__in=answers).interrupt, reason)
    return any(ticket.is_doubtful for ticket in (*asked.values(), *(visit.ticket for visit in visits)))


def _judge(
    visits: list[Visit], asked: dict[UUID, Ticket]
) -> tuple[list[tuple[Visit, int]], dict[str, set[UUID]]]:
    """The sockets whose time has come, with their codes; and the answers, by the reason for which they are to stop."""
    states = judge({*asked.values(), *(visit.ticket for visit in visits)})
    signed_out = {pk for pk, ticket in asked.items() if states[ticket] is State.ENDED}
    withdrawn = Message.objects.filter(pk__in=asked, usage__api_token__is_active=False)
    ended = {
        Message.Ended.SIGNED_OUT.value: signed_out,
        Message.Ended.TOKEN_WITHDRAWN.value: set(withdrawn.values_list("pk", flat=True)),
    }
    kept = Conversation.objects.filter(pk__in={visit.conversation_pk for visit in visits}, deleted_at=None)
    owners = dict(kept.values_list("pk", "owner_id"))
    codes = [_code(visit, states[visit.ticket], owners.get(visit.conversation_pk)) for visit in visits]
    return [(visit, code) for visit, code in zip(visits, codes, strict=True) if code], ended


def _code(visit: Visit, state: State, owner: UUID | None) -> int | None:
    if state is not State.GOOD:
        return NOT_SIGNED_IN
    if owner != visit.ticket.user_id:
        return NOT_FOUND
    return COME_BACK if time.monotonic() - visit.opened_at > OLDEST_SECONDS else None
