"""What does the sidebar of every page say about what is left? Asked for where it is shown, once a page."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from webchat.allocation import standing


def left(request: HttpRequest) -> dict[str, object]:
    return {"standing": SimpleLazyObject(lambda: standing.of(request.user))}  # type: ignore[arg-type]
