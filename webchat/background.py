"""Which tasks outlive a request? All are started here, so that one place can wait for them or end them."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

# Tasks that live for minutes share a few threads, each with its own connection, instead of the one
# thread that asgiref would give to everybody. They are few because all that have something to do take the
# interpreter from each other; whoever only reads waits for nobody who writes. SQLite has one writer anyway.
_WRITERS = 1 if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") else 3
_writing = ThreadPoolExecutor(_WRITERS, thread_name_prefix="writing")
_reading = ThreadPoolExecutor(1, thread_name_prefix="reading")
# Set when this process has been asked to end: nothing that outlives a request is begun any more.
ending = threading.Event()
_tasks: set[asyncio.Task[Any]] = set()
_saving: set[asyncio.Task[Any]] = set()
_endless: set[asyncio.Task[Any]] = set()


def spawn(
    work: Coroutine[Any, Any, T], *, name: str, saves: bool = False, endless: bool = False
) -> asyncio.Task[T]:
    """Start a task that belongs to no request; an exception in it is logged, never lost.

    One that `saves` is let finish when the process ends; for an `endless` one nobody waits until it is cancelled.

    Its context is a fresh one: a request's context would tie it to that request's language and to
    its thread, which ends with the request.
    """
    task = asyncio.get_running_loop().create_task(work, name=name, context=contextvars.Context())
    _tasks.add(task)
    if saves:
        _saving.add(task)
    if endless:
        _endless.add(task)
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    _saving.discard(task)
    _endless.discard(task)
    if not task.cancelled() and (error := task.exception()):
        logger.error("Task %s failed", task.get_name(), exc_info=error)


async def in_database(verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one sync verb (a model method, a whole transaction) in a database thread."""
    return await _cross(_writing, verb, *args, **kwargs)


async def look_up(verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for one that reads. Not for what writes: while it waited for a lock, no page would be told more."""
    return await _cross(_reading, verb, *args, **kwargs)


async def _cross(threads: ThreadPoolExecutor, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    crossing = database_sync_to_async(verb, thread_sensitive=False, executor=threads)
    result: T = await crossing(*args, **kwargs)
    return result


async def drain(seconds: float, *, cancel: bool = False) -> None:
    """Wait until this loop's tasks have ended, at most so long; with `cancel` ask them to end first.

    Tasks that save what must not be lost are never cancelled, only waited for.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + seconds
    asked: set[asyncio.Task[Any]] = set()
    # A task that is cancelled may start another one, which saves what it had.
    while (left := give_up_at - loop.time()) > 0:
        tasks = {task for task in _tasks if task.get_loop() is loop and task is not asyncio.current_task()}
        tasks -= set() if cancel else _endless
        if not tasks:
            return
        if cancel:
            for task in tasks - _saving - asked:
                task.cancel()
            asked |= tasks
        await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
