"""What did the model say? One answer, put together from payloads, as events.

Pure: no network, no clock. `read` and `read_whole` yield events while all is well, and raise what is not.
"""

from collections.abc import Iterator

from .errors import CutOff, EmptyAnswer, Malformed, NotAnAnswer, TooLarge
from .reports import classify, read_report
from .wire import ChatRequest, Choice, Chunk, Delta, Event, Finished, Started, Usage, read_chunk, read_object

MAX_TEXT = 4 * 1024 * 1024
MAX_BROKEN = 5


class Answer:
    def __init__(self, request: ChatRequest, secret: str, max_text: int = MAX_TEXT) -> None:
        self.started = False
        self.done = False
        self.signs_of_life = 0  # chunks that had content; comments and role-only chunks have none
        self._request = request
        self._secret = secret
        self._room = max_text
        self._broken = 0
        self._reasons: dict[int, str] = {}
        self._has_text = False
        self._usage: Usage | None = None
        self._usage_by_index: dict[int, Usage] = {}

    def read(self, payload: str) -> Iterator[Event]:
        """One payload of the stream. What comes after [DONE] is ignored."""
        if self.done or (not payload.startswith("{") and self._is_done(payload)):
            return
        value = read_object(payload)
        if value is None:
            self._broken += 1
            if self._broken > MAX_BROKEN:
                raise Malformed()
            return
        if (report := read_report(value)) is not None:
            raise classify(200, report, model=self._request.model, secret=self._secret)
        yield from self._read_chunk(read_chunk(value))

    def read_whole(self, body: bytes) -> Iterator[Event]:
        """An answer in one piece, asked for or not."""
        value = read_object(body)
        if (report := read_report(value)) is not None:
            raise classify(200, report, model=self._request.model, secret=self._secret)
        if value is None or not isinstance(value.get("choices"), list):
            raise NotAnAnswer()
        yield from self._read_chunk(read_chunk(value))
        self.done = True

    def check_end(self) -> None:
        """Called when nothing more comes: was that all?"""
        if not self._has_text and (self.done or self.is_finished or not self.started):
            reason = self._reasons.get(0, "")
            raise EmptyAnswer(**({"reason": reason} if reason else {}))
        if not self.done and not self.is_finished:
            raise CutOff()

    @property
    def is_finished(self) -> bool:
        """Every answer asked for has given its reason to end; only usage and [DONE] can follow."""
        return len(self._reasons) == max(self._request.n, 1)

    @property
    def usage(self) -> Usage | None:
        """What was reported, wherever it was: never a sum of the same tokens seen in two places."""
        nested = self._usage_by_index.values()
        if not nested:
            return self._usage
        if self._usage and self._usage.total_tokens >= max(usage.total_tokens for usage in nested):
            return self._usage
        prompt = max(usage.prompt_tokens for usage in nested)
        completion = sum(usage.completion_tokens for usage in nested)
        beyond = max(usage.total_tokens - usage.prompt_tokens - usage.completion_tokens for usage in nested)
        return Usage(prompt, completion, prompt + completion + beyond)

    def _is_done(self, payload: str) -> bool:
        self.done = payload.strip() == "[DONE]"
        return self.done

    def _read_chunk(self, chunk: Chunk) -> Iterator[Event]:
        if not self.started:
            self.started = True
            yield Started(chunk.model, chunk.id)
        self._usage = _larger(self._usage, chunk.usage)
        for choice in chunk.choices:
            if 0 <= choice.index < max(self._request.n, 1):
                yield from self._read_choice(choice)

    def _read_choice(self, choice: Choice) -> Iterator[Event]:
        usage = _larger(self._usage_by_index.get(choice.index), choice.usage)
        if usage:
            self._usage_by_index[choice.index] = usage
        if choice.text or choice.busy:
            self.signs_of_life += 1
        if choice.text:
            yield from self._read_text(choice)
        if choice.finish_reason and choice.index not in self._reasons:
            self._reasons[choice.index] = choice.finish_reason
            yield Finished(choice.index, choice.finish_reason)

    def _read_text(self, choice: Choice) -> Iterator[Event]:
        size = len(choice.text.encode())
        if size > self._room:
            raise TooLarge()
        self._room -= size
        self._has_text = self._has_text or not choice.text.isspace()
        yield Delta(choice.index, choice.text)


def _larger(old: Usage | None, new: Usage | None) -> Usage | None:
    if old is None or new is None:
        return new or old
    return new if new.total_tokens >= old.total_tokens else old
