"""In which thread is a page made? In one of a few that stay, with their database connections, in one go.

Django starts a thread for every request and ends it afterwards. Each would open the database anew, and a hundred
questions at once would be a hundred threads that take the interpreter from the loop which brings the answers.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import OperationalError, close_old_connections, reset_queries
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from webchat.chat.views.pages import note

logger = logging.getLogger(__name__)

# So many pages are made at a time. One that takes longer than so many seconds waits for something, a locked
# database or a mail server: others get on without it, up to so many threads.
PAGES_AT_A_TIME = 1
STUCK_SECONDS = 0.25
MOST_THREADS = 12


class Pages(ASGIHandler):
    """Django's handler, with threads that stay."""

    def __init__(self) -> None:
        super().__init__()
        # They would cross to a thread that has no connections to look after; `_make` does it where they are.
        for look_after in (close_old_connections, reset_queries):
            request_started.disconnect(look_after)
        self._turns = asyncio.Semaphore(PAGES_AT_A_TIME)
        # The one that was used last comes first: mostly there are no more of them than pages at a time.
        self._threads: asyncio.LifoQueue[ThreadPoolExecutor] = asyncio.LifoQueue()
        for number in range(MOST_THREADS):
            self._threads.put_nowait(ThreadPoolExecutor(1, thread_name_prefix=f"request-{number}"))
        # For the rest of a request, its beginning and its end, where nothing waits for anything.
        self._porter = ThreadPoolExecutor(1, thread_name_prefix="porter")

    def load_middleware(self, is_async: bool = False) -> None:
        """All in one go in that thread.

        Around async views each middleware would cross from the loop to the thread and back, twice a request. Here
        views are sync; one that were not would keep its thread as long as it takes.
        """
        super().load_middleware(is_async=False)
        self._chain: Any = self._middleware_chain
        self._middleware_chain: Any = self._in_turn

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext(executor=self._porter):
            await self.handle(scope, receive, send)

    async def _in_turn(self, request: HttpRequest) -> HttpResponseBase:
        """A thread is found when there is something to do in it: nobody queues behind one that is stuck."""
        async with self._turns:
            thread = await self._threads.get()
            make = sync_to_async(self._make, thread_sensitive=False, executor=thread)
            page = asyncio.ensure_future(make(request))
            page.add_done_callback(lambda _page: self._threads.put_nowait(thread))
            await asyncio.wait([page], timeout=STUCK_SECONDS)
        # Whose client leaves has the thread all the same, until it is done.
        return await asyncio.shield(page)

    def _make(self, request: HttpRequest) -> HttpResponseBase:
        """Django looks after connections in the thread in which a request begins and ends, which is another."""
        reset_queries()
        close_old_connections()
        try:
            response: HttpResponseBase = self._chain(request)
            return response
        finally:
            close_old_connections()

    def process_exception_by_middleware(self, exception: Exception, request: Any) -> HttpResponse:
        """A database that is locked or away comes back, and `send-again.js` with the question."""
        if not isinstance(exception, OperationalError):
            return super().process_exception_by_middleware(exception, request)
        logger.error("The database did not answer", exc_info=exception)
        text = _(
            "The database does not answer just now. What you typed is still here; try again in a moment."
        )
        response = note(request, text, 503)
        response["Retry-After"] = "5"
        return response
