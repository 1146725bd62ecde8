"""Is the portal alive, and can it work? For load balancers; no sign-in, nothing secret."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from webchat import background


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """503 while the database does not answer, and as soon as this process has been asked to end."""
    if background.ending.is_set():
        return HttpResponse("ending\n", status=503, content_type="text/plain")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unavailable\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
