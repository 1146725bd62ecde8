"""What of a request and its answer does no view have to think of? What is not read, and what must not be kept."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

View = Callable[[HttpRequest], HttpResponseBase]
AsyncView = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

# Signing in, signing up, passkeys: a few kilobytes, and whatever somebody pastes there by mistake.
LONGEST_OF_A_STRANGER = 512 * 1024


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


@sync_and_async_middleware
def readable_requests(get_response: View | AsyncView) -> View | AsyncView:
    """Refuses what no browser sends and Django stumbles over: charsets other than UTF-8."""
    if iscoroutinefunction(get_response):

        async def read_async(request: HttpRequest) -> HttpResponseBase:
            return await get_response(request) if is_readable(request) else refusal()

        return read_async

    def read(request: HttpRequest) -> HttpResponseBase:
        return get_response(request) if is_readable(request) else refusal()  # type: ignore[return-value]

    return read


def is_readable(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower() in ("utf-8", "utf8")


def refusal() -> HttpResponse:
    # No template: one that shows a form would read the request.
    return HttpResponseBadRequest("Send it as UTF-8.\n", content_type="text/plain")


@sync_and_async_middleware
def short_requests_of_strangers(get_response: View | AsyncView) -> View | AsyncView:
    """Before anything reads the form, which takes sixty times its size: who is not signed in has little to say."""
    if iscoroutinefunction(get_response):

        async def listen_async(request: HttpRequest) -> HttpResponseBase:
            if is_long(request) and not (await request.auser()).is_authenticated:
                return too_long()
            response: HttpResponseBase = await get_response(request)
            return response

        return listen_async

    def listen(request: HttpRequest) -> HttpResponseBase:
        if is_long(request) and not request.user.is_authenticated:
            return too_long()
        return get_response(request)  # type: ignore[return-value]

    return listen


def is_long(request: HttpRequest) -> bool:
    """No browser sends a form in chunks, whose length nobody has said."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    return length > LONGEST_OF_A_STRANGER or "Transfer-Encoding" in request.headers


def too_long() -> HttpResponse:
    sentence = _("This is too long for somebody who is not signed in.")
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=413)
