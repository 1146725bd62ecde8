"""What does the demo upstream remember between requests? Only what its answers need, and little of it."""

import hashlib
from collections import Counter, OrderedDict

KEPT = 500


class Memory:
    def __init__(self, pace: float) -> None:
        self.pace = pace
        self._attempts: Counter[str] = Counter()
        self._spoken: OrderedDict[bytes, str] = OrderedDict()

    def attempt(self, key: str) -> int:
        """How often this was asked before; lets a fault fail first and succeed later."""
        if len(self._attempts) > KEPT:
            self._attempts.clear()
        self._attempts[key] += 1
        return self._attempts[key] - 1

    def remember_spoken(self, audio: bytes, text: str) -> None:
        self._spoken[hashlib.sha256(audio).digest()] = text
        if len(self._spoken) > KEPT:
            self._spoken.popitem(last=False)

    def spoken(self, audio: bytes) -> str | None:
        """The text of a recording that our own speech endpoint made."""
        return self._spoken.get(hashlib.sha256(audio).digest())

    def clear(self) -> None:
        self._attempts.clear()
        self._spoken.clear()
