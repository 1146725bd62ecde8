"""What does a fault get to spoil? One call, with its ordinary answer for faults that pass."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from webchat.demo.chat.question import Question
from webchat.demo.wire import Exchange


@dataclass(frozen=True)
class Call:
    exchange: Exchange
    question: Question | None  # None: speech or a transcription
    key: str  # what makes this call the same as an earlier one
    answer: Callable[[], Awaitable[None]]

    @property
    def is_streamed(self) -> bool:
        return self.question is not None and self.question.stream
