"""In which thread is a page made? A few, kept with their database connections, and each request stays in one.

Django starts a thread for every request and ends it afterwards. Each would open the database anew, and a hundred
questions at once would be a hundred threads that take the interpreter from the loop which brings the answers.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler

THREADS = 2


class RequestThread:
    """One thread, and how many requests have it."""

    def __init__(self, number: int) -> None:
        self.executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"request-{number}")
        self.requests = 0


class Pages(ASGIHandler):
    """Django's handler, with threads that stay."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = [RequestThread(number) for number in range(THREADS)]

    def load_middleware(self, is_async: bool = False) -> None:
        """All in one go in that thread.

        Around async views each middleware would cross from the loop to the thread and back, twice a request. Here
        views are sync; one that were not would keep its thread as long as it takes.
        """
        super().load_middleware(is_async=False)
        self._middleware_chain: Any = sync_to_async(self._middleware_chain)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # The one with the fewest: a client that sends or reads slowly has a thread, but does not keep it busy.
        thread = min(self._threads, key=lambda thread: thread.requests)
        thread.requests += 1
        try:
            async with ThreadSensitiveContext(executor=thread.executor):
                await self.handle(scope, receive, send)
        finally:
            thread.requests -= 1
