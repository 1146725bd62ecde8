"""Under which names may a socket be opened? Django looks at those of pages only, and Channels at the page's origin."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[..., Awaitable[None]]


class KnownHosts:
    """Refuses the handshake of any other, whatever server it came through."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        names = [value for header, value in scope["headers"] if header == b"host"]
        if len(names) == 1 and is_known(names[0].decode("latin1")):
            await self._application(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})


def is_known(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
