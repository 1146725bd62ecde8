"""What has one call to the upstream brought so far, and how did it end?"""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from webchat.allocation.metering import Spent
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.live import LiveAnswer, Notice
from webchat.chat.models import Conversation, Message
from webchat.upstream import tokens
from webchat.upstream.errors import EmptyAnswer, UpstreamError
from webchat.upstream.wire import ChatRequest, Delta, Event, Finished, Queued, Retrying, Started, Usage
from webchat.upstream.wire import Message as ChatMessage

State = Message.State


@dataclass
class Call:
    """One call and the answers it brings: n of them, told apart by the upstream's `index`."""

    conversation: Conversation
    answers: list[Message]
    lives: list[LiveAnswer]
    record: UsageRecord
    # The prompt; None until it has been looked up.
    messages: list[ChatMessage] | None = None
    # Tokens that the upstream has refused for this call.
    passed: set[UUID] = field(default_factory=set)
    # Set before its task is cancelled: a person stopped it, it was not interrupted.
    stopped: bool = False
    prompt_tokens: int = 0
    answered_model: str = ""
    usage: Usage | None = None
    finished: dict[int, str] = field(default_factory=dict)
    started_at: float = field(default_factory=time.monotonic)
    first_content_at: float | None = None

    @property
    def token(self) -> APIToken:
        return self.record.api_token

    @property
    def has_begun(self) -> bool:
        return self.usage is not None or self.first_content_at is not None

    def go_on_with(self, record: UsageRecord) -> None:
        """Another token is asked, which is another call for the ledger."""
        self.record = record
        for answer in self.answers:
            answer.usage = record

    def request(self) -> ChatRequest:
        messages = self.messages or []
        self.prompt_tokens = tokens.estimate_messages(msgspec.to_builtins(messages))
        asked_with = self.conversation.parameters
        return ChatRequest(
            model=self.answers[0].model,
            messages=messages,
            temperature=asked_with.temperature,
            top_p=asked_with.top_p,
            max_tokens=asked_with.max_tokens or self.record.max_tokens,
            n=len(self.answers),
            stream=True,
        )

    def take(self, event: Event) -> None:
        match event:
            case Delta(index=index, text=text) if index < len(self.lives):
                self.first_content_at = self.first_content_at or time.monotonic()
                answer = self.lives[index]
                answer.append(answer.revision, text)
            case Finished(index=index, reason=reason):
                self.finished[index] = reason
            case Usage():
                self.usage = event
            case Started(model=model):
                self.answered_model = model
            case Queued():
                for answer in self.lives:
                    answer.show_notice(Notice())
            case Retrying(error_code=code, params=params, seconds=seconds):
                for answer in self.lives:
                    answer.show_notice(Notice(code, params, until=time.monotonic() + seconds))

    def ending(self, number: int, error: UpstreamError | None, *, cancelled: bool) -> dict[str, Any]:
        """The fields with which answer `number` ends."""
        text = self.lives[number].text
        reason = self.finished.get(number, "")
        if text and (reason or (error is None and not cancelled)):
            return {"state": State.COMPLETE, "text": text, "finish_reason": reason[:40]}
        if cancelled:
            return {"state": State.STOPPED if self.stopped else State.INTERRUPTED, "text": text}
        error = error or EmptyAnswer()
        broken = {"text": text, "error_code": error.code, "error_params": error.params}
        return broken | {"state": State.INTERRUPTED if text else State.FAILED}

    def spent(self, error: UpstreamError | None, *, cancelled: bool) -> Spent:
        new_text = [
            live.text[len(answer.text) :] for answer, live in zip(self.answers, self.lives, strict=True)
        ]
        came_through = any(new_text)
        return Spent(
            outcome=self._outcome(error, cancelled=cancelled),
            usage=self.usage,
            # What was refused before a word came was not worked on.
            estimated_prompt_tokens=self.prompt_tokens if came_through or cancelled else 0,
            estimated_completion_tokens=sum(map(tokens.estimate, new_text)),
            answered_model=self.answered_model,
            error_code=error.code if error else "",
            first_token_ms=self._milliseconds(self.first_content_at) if self.first_content_at else None,
            duration_ms=self._milliseconds(time.monotonic()),
        )

    def _outcome(self, error: UpstreamError | None, *, cancelled: bool) -> str:
        if cancelled:
            return State.STOPPED if self.stopped else State.INTERRUPTED
        if error is None:
            return State.COMPLETE
        return State.INTERRUPTED if any(live.text for live in self.lives) else State.FAILED

    def _milliseconds(self, moment: float) -> int:
        return round((moment - self.started_at) * 1000)
