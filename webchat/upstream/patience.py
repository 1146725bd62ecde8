"""How long do we wait, and how often do we ask again?"""

import asyncio
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .errors import NoFirstContent, RateLimited, Stalled, TookTooLong, UpstreamError

LONGEST_PAUSE = 30.0
# What may still follow when every answer has given its reason to end: usage and [DONE].
AFTERWORD = 5.0
_A_MONTH = 30 * 86400.0


@dataclass(frozen=True)
class Deadlines:
    """Seconds. `reply` stands for `first_content` where a reply comes in one piece; `queue`: for a slot."""

    connect: float = 10
    first_content: float = 60
    idle: float = 60
    total: float = 900
    reply: float = 300
    queue: float = 30


class Patience:
    """The deadlines of one call, over all its attempts, in the loop's time: no wall clock can change them."""

    def __init__(self, deadlines: Deadlines, *, waits_for_token: bool = True) -> None:
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self.retries = 0
        # False: another token can be asked at once.
        self._waits_for_token = waits_for_token
        self._silence = deadlines.first_content
        self._answering = False
        self.end = self._loop.time() + deadlines.total
        self._content_due = self.end

    def begin(self, seconds: float) -> None:
        """An attempt begins; its first content is due in so many seconds."""
        self._answering = False
        self._silence = seconds
        self._content_due = self._loop.time() + seconds

    def content_came(self) -> None:
        self._answering = True
        self._silence = self._deadlines.idle
        self._content_due = self._loop.time() + self._silence

    def nothing_more_expected(self) -> None:
        self._content_due = min(self._content_due, self._loop.time() + AFTERWORD)

    @property
    def due(self) -> float:
        return min(self._content_due, self.end)

    def is_over(self) -> bool:
        return self._loop.time() >= self.due

    def is_all_over(self) -> bool:
        return self._loop.time() >= self.end

    def verdict(self) -> UpstreamError:
        if self.end <= self._content_due or self.is_all_over():
            return TookTooLong(minutes=_tidy(self._deadlines.total / 60))
        return (Stalled if self._answering else NoFirstContent)(seconds=_tidy(self._silence))

    def pause_before_retry(self, error: UpstreamError) -> float | None:
        """Seconds to wait before asking again, or None: this error stands."""
        is_pointless = error.about_token and not self._waits_for_token
        if is_pointless or self.retries >= error.retries or (error.retry_after or 0) > LONGEST_PAUSE:
            return None
        pause = self._back_off() if error.retry_after is None else error.retry_after + _jitter(0, 0.2)
        if self._loop.time() + pause >= self.end:
            return None
        self.retries += 1
        return pause

    def _back_off(self) -> float:
        return 0.5 * 2.0**self.retries * _jitter(0.5, 1.5)


def _tidy(number: float) -> float:
    """15 min, not 15.0 min."""
    return int(number) if number == int(number) else round(number, 1)


def _jitter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311


def read_retry_after(value: str | None) -> float | None:
    """Seconds, or an HTTP date, never negative, never more than a month; None for anything else."""
    if not value or len(value) > 100:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    if seconds != seconds:  # not a number
        return None
    return min(max(seconds, 0.0), _A_MONTH)


def note_wait(error: UpstreamError, seconds: float | None) -> None:
    """A long wait is told as a point in time, which stays true while the sentence is on the page."""
    error.retry_after = seconds
    if not isinstance(error, RateLimited) or not seconds:
        return
    error.params["seconds"] = math.ceil(seconds)
    if seconds > LONGEST_PAUSE:
        error.params["until"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError, TypeError):
        return float("nan")
