"""What happens when the portal is asked to end? Answers finish or are saved, and every page is told to come back."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from webchat import background
from webchat.chat import consumers, keeping, live
from webchat.upstream.pools import close_pools

# Whatever hangs (a locked database, an upstream, a reader), together they stay well below 10 s.
FINISHING_SECONDS = 3.5
KEEPING_SECONDS = 1
SAVING_SECONDS = 3
FLUSHING_SECONDS = 0.3

Requests = set["asyncio.Future[Any]"]


async def drain(
    requests: Callable[[], Requests] = set, stop_listening: Callable[[], object] = lambda: None
) -> None:
    """Begin nothing, let finish what soon does, save the rest, and close the sockets so that pages connect again.

    `requests` tells which ones the server is answering. One that has seen to that by itself tells none.
    """
    background.ending.set()
    await _let_finish(requests())
    stop_listening()
    # All at once, since each for itself may take longer than there is time.
    await _in_time(keeping.now(), KEEPING_SECONDS)
    await background.drain(SAVING_SECONDS, cancel=True)
    await _in_time(_close_sockets())
    late = requests()
    if late:
        await asyncio.wait(late, timeout=FLUSHING_SECONDS)
    # Or the server ends before it has written the close frames.
    await asyncio.sleep(FLUSHING_SECONDS)
    await _in_time(close_pools())


async def _let_finish(requests: Requests) -> None:
    """Requests first: a question that is being saved at this moment is about to start its answer."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + FINISHING_SECONDS
    if requests:
        await asyncio.wait(requests, timeout=FINISHING_SECONDS)
    while live.running() and loop.time() < give_up_at:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _close_sockets() -> None:
    closing = [socket.close(consumers.COME_BACK) for socket in list(consumers.open_sockets)]
    # One whose page has just left cannot be closed any more.
    await asyncio.gather(*closing, return_exceptions=True)


async def _in_time(work: Coroutine[Any, Any, None], seconds: float = FLUSHING_SECONDS) -> None:
    """Under some servers a reader that has stalled holds up whoever sends to it; a database may be locked."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
