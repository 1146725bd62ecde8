"""What does a streamed answer look like on the wire? The document's shapes."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

DONE = b"data: [DONE]\n\n"

Usage = dict[str, Any]  # of numbers, except in faults


@dataclass(frozen=True)
class Head:
    """What all chunks of one answer have in common."""

    id: str
    model: str
    created: int

    @classmethod
    def new(cls, model: str, prefix: str = "cmpl-") -> "Head":
        return cls(id=prefix + uuid.uuid4().hex, model=model, created=int(time.time()))

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        document = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
        return event(document | more)

    def role(self, index: int = 0) -> bytes:
        return self.chunk([_choice(index, {"role": "assistant"}, None)])

    def text(self, text: str, index: int = 0) -> bytes:
        return self.chunk([_choice(index, {"content": text}, None)])

    def finish(
        self, reason: str, index: int = 0, inside: Usage | None = None, top: Usage | None = None
    ) -> bytes:
        """The last chunk of an answer, with its usage inside the choice or at the top level, or without."""
        choice = _choice(index, {}, reason)
        if inside is not None:
            choice["usage"] = inside
        return self.chunk([choice]) if top is None else self.chunk([choice], usage=top)


def event(document: object) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


def usage(prompt: int, completion: int) -> Usage:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _choice(index: int, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason}
