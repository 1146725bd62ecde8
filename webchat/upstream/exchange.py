"""How do we wait for bytes, so that a deadline never throws away what has already come?

A task of its own reads the reply into a short queue, and the deadline is judged by the one who takes from the
queue. When the whole process was stopped for a while (SIGSTOP, a sleeping laptop), every deadline is over at
once although data is waiting in the sockets: it is served first, and only silence is judged.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from types import TracebackType
from typing import Protocol, Self, TypeVar

from .errors import TooLarge, UpstreamError
from .patience import Patience
from .wire import Retrying

_QUEUE = 16
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
        self._queue: asyncio.Queue[bytes | UpstreamError | None] = asyncio.Queue(_QUEUE)
        self._reply: Reply | None = None
        self._ended = False
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
        self._task.cancel()
        await asyncio.wait({self._task})

    async def reply(self) -> Reply:
        await self.read()
        assert self._reply is not None
        return self._reply

    async def read(self) -> bytes | None:
        """The next bytes, None at the end. Raises what went wrong, the patience's verdict included."""
        item = None if self._ended else await self._take()
        self._ended = item is None
        if isinstance(item, UpstreamError):
            raise item
        return item

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
        if self._patience.is_all_over() or (self._patience.is_over() and self._queue.empty()):
            raise self._patience.verdict()

    async def _take(self) -> bytes | UpstreamError | None:
        try:
            async with asyncio.timeout_at(self._patience.due):
                return await self._queue.get()
        except TimeoutError:
            await asyncio.sleep(_GRACE)
        if self._queue.empty():
            raise self._patience.verdict()
        return self._queue.get_nowait()

    async def _fill(self) -> None:
        end: UpstreamError | None = None
        try:
            async with self._open() as reply:
                self._reply = reply
                await self._queue.put(b"")  # the headers are here
                async for chunk in reply.aiter_raw():
                    await self._queue.put(chunk)
        except Exception as error:
            end = self._name(error, self._reply is not None)
        await self._queue.put(end)
