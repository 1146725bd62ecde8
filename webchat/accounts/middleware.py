"""May anything on the way keep a copy of this page? Not of what a signed-in person sees."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.decorators import sync_and_async_middleware

View = Callable[[HttpRequest], HttpResponseBase]
AsyncView = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def private_pages(get_response: View | AsyncView) -> View | AsyncView:
    """`Cache-Control: private, no-store` for whoever carries a session, and for all of /accounts/."""
    if iscoroutinefunction(get_response):

        async def keep_private_async(request: HttpRequest) -> HttpResponseBase:
            return mark(request, await get_response(request))

        return keep_private_async

    def keep_private(request: HttpRequest) -> HttpResponseBase:
        return mark(request, get_response(request))  # type: ignore[arg-type]

    return keep_private


def mark(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    # The cookie, not `request.user`: that would cost every page two queries, and raise in async views.
    if settings.SESSION_COOKIE_NAME in request.COOKIES or request.path.startswith("/accounts/"):
        patch_cache_control(response, private=True, no_store=True)
    return response
