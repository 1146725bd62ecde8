"""What does an answer look like right now? Answers that are arriving in this process, and who follows them."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from webchat.chat.markdown import Change, GrowingMarkdown
from webchat.chat.models import Message


@dataclass(frozen=True)
class Notice:
    """Why nothing has come yet: the upstream's trouble, and when it is asked again; or a queue, without trouble."""

    error_code: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    until: float = 0

    @property
    def seconds_left(self) -> int:
        return max(0, round(self.until - time.monotonic()))


class LiveAnswer:
    """An answer on its way. Its revision is the length of its text."""

    def __init__(self, pk: UUID, beginning: str = "") -> None:
        self.pk = pk
        self.notice: Notice | None = None
        self.has_ended = False
        self._turns = 0
        self._markdown = GrowingMarkdown()
        self._followers: set[asyncio.Event] = set()
        if beginning:
            self._markdown.append(beginning)

    @property
    def text(self) -> str:
        return self._markdown.text

    @property
    def revision(self) -> int:
        return self._markdown.revision

    @property
    def state(self) -> str:
        return Message.State.STREAMING if self.revision else Message.State.PENDING

    @property
    def appearance(self) -> tuple[int, int]:
        """Differs when the whole message has to be shown anew: another state, another notice, a second less to wait."""
        return self._turns, self.notice.seconds_left if self.notice else 0

    def append(self, offset: int, delta: str) -> bool:
        """Add what came; what is here already is passed over. False when something before it is missing."""
        if offset > self.revision:
            return False
        new = delta[self.revision - offset :]
        if new:
            if not self.revision or self.notice:
                self.notice = None
                self._turns += 1
            self._markdown.append(new)
            self._wake_followers()
        return True

    def changes_since(self, revision: int) -> list[Change]:
        return self._markdown.changes_since(revision)

    @property
    def seconds_to_draw(self) -> float:
        return self._markdown.seconds_to_draw

    def show_notice(self, notice: Notice) -> None:
        self.notice = notice
        self._turns += 1
        self._wake_followers()

    def end(self) -> None:
        """The answer is saved in its last state; followers read it from there."""
        self.has_ended = True
        # A likeness of another process's answer may bear the same id.
        if _answers.get(self.pk) is self:
            del _answers[self.pk]
        self._wake_followers()

    def wake(self, follower: asyncio.Event) -> None:
        """Set this event whenever something changes."""
        self._followers.add(follower)

    def leave(self, follower: asyncio.Event) -> None:
        self._followers.discard(follower)

    def _wake_followers(self) -> None:
        for follower in self._followers:
            follower.set()


_answers: dict[UUID, LiveAnswer] = {}


def begin(pk: UUID, beginning: str = "") -> LiveAnswer:
    """Announce an answer that this process is about to ask for."""
    return _answers.setdefault(pk, LiveAnswer(pk, beginning))


def find(pk: UUID) -> LiveAnswer | None:
    return _answers.get(pk)


def running() -> set[UUID]:
    return set(_answers)
