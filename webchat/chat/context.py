"""Which conversations stand in the sidebar? Asked for by the page that shows one, whichever room it is of."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from webchat.chat import sidebar


def conversations(request: HttpRequest) -> dict[str, object]:
    return {"sidebar": SimpleLazyObject(lambda: sidebar.load(request.user))}  # type: ignore[arg-type]
