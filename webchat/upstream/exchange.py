"""How do we wait for bytes, so that a deadline never throws away what has already come?

A task of its own reads the reply into a small buffer, and the deadline is judged by the one who takes from
there. When the whole process was stopped for a while (SIGSTOP, a sleeping laptop), every deadline is over at
once although data is waiting in the sockets: it is served first, and only silence is judged.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from types import TracebackType
from typing import Protocol, Self, TypeVar

from .errors import TooLarge, UnknownProblem, UpstreamError
from .patience import Patience
from .wire import Retrying

_MOST_WAITING = 256 * 1024
_GRACE = 0.25

T = TypeVar("T")
logger = logging.getLogger(__name__)


async def persist(
    attempt: Callable[[], AsyncGenerator[T, None]], patience: Patience
) -> AsyncGenerator[T | Retrying, None]:
    """What an attempt yields; another one while none has yielded anything and the error is worth it."""
    while True:
        begun = False
        try:
            async with aclosing(attempt()) as items:
                async for item in items:
                    begun = True
                    yield item
            return
        except UpstreamError as error:
            pause = None if begun else patience.pause_before_retry(error)
            logger.info(
                "upstream: %s, %s", error.code, "given up" if pause is None else f"again in {pause:.1f} s"
            )
            if pause is None:
                raise
            retrying = Retrying(error.code, error.params, round(pause, 1), patience.retries)
        yield retrying
        await asyncio.sleep(retrying.seconds)


class Reply(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def aiter_raw(self) -> AsyncIterator[bytes]: ...


class Exchange:
    """One request and its reply. Leaving it closes the connection, or gives it back if all was read."""

    def __init__(
        self,
        open_reply: Callable[[], AbstractAsyncContextManager[Reply]],
        name: Callable[[Exception, bool], UpstreamError],
        patience: Patience,
    ) -> None:
        self._open = open_reply
        self._name = name
        self._patience = patience
        self._reply: Reply | None = None
        self._arrived = bytearray()
        self._is_over = False
        self._error: UpstreamError | None = None
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self.end_is_near = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._fill())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.end_is_near and error is None:
            # The last bytes are usually here already; with them the connection can be used again.
            await asyncio.wait({self._task}, timeout=0.05)
        if self._alarm:
            self._alarm.cancel()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def reply(self) -> Reply:
        await self._until(lambda: self._reply is not None or self._is_over)
        if self._reply is None:
            raise self._error or UnknownProblem()
        return self._reply

    async def read(self) -> bytes | None:
        """All that has come, None at the end. Raises what went wrong, the patience's verdict included."""
        await self._until(lambda: self._arrived or self._is_over)
        if self._arrived:
            data, self._arrived = bytes(self._arrived), bytearray()
            self._room.set()
            return data
        if self._error:
            raise self._error
        return None

    async def read_opening(self) -> bytes:
        """The first bytes that are more than white space; empty if there are none."""
        opening = b""
        while (chunk := await self.read()) is not None:
            opening = (opening + chunk).removeprefix(b"\xef\xbb\xbf").lstrip()
            if opening not in (b"", b"\xef", b"\xef\xbb"):
                return opening
            self.judge()
        return b""

    async def read_rest(self, begun: bytes, limit: int) -> bytes:
        parts, size = [begun], len(begun)
        while (chunk := await self.read()) is not None:
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise TooLarge()
            self.judge()
        return b"".join(parts)

    async def read_excerpt(self, limit: int) -> bytes:
        """At most so many bytes, and what has come when the reply breaks off: enough to name a refusal."""
        excerpt = b""
        try:
            while len(excerpt) < limit and (chunk := await self.read()) is not None:
                excerpt += chunk
                self.judge()
        except UpstreamError:
            pass
        return excerpt[:limit]

    def judge(self) -> None:
        """Bytes came, but nothing that counts. That is held against them only when no more are waiting."""
        nothing_waits = not self._arrived and not self._is_over
        if self._patience.is_all_over() or (self._patience.is_over() and nothing_waits):
            raise self._patience.verdict()

    async def _until(self, is_there: Callable[[], object]) -> None:
        while not is_there():
            self._set_alarm()
            self._news.clear()
            await self._news.wait()
            if not is_there() and self._patience.is_over():
                await asyncio.sleep(_GRACE)
                if not is_there():
                    raise self._patience.verdict()

    def _set_alarm(self) -> None:
        """It may ring too early: to set one for each wait, and put it off, would cost more than the waiting."""
        due = self._patience.due
        if not self._loop.time() < self._alarm_at <= due:
            if self._alarm:
                self._alarm.cancel()
            self._alarm, self._alarm_at = self._loop.call_at(due, self._news.set), due

    async def _fill(self) -> None:
        try:
            async with self._open() as reply:
                self._reply = reply
                self._news.set()
                async for chunk in reply.aiter_raw():
                    self._arrived += chunk
                    self._news.set()
                    if len(self._arrived) >= _MOST_WAITING:
                        self._room.clear()
                        await self._room.wait()
        except Exception as error:
            self._error = self._name(error, self._reply is not None)
        self._is_over = True
        self._news.set()
