"""What does every template know about this portal? Settings only, no queries."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    return {
        "TEAM_NAME": settings.TEAM_NAME,
        "oidc": bool(settings.OIDC_SERVER_URL),
        "mail": settings.MAIL_CONFIGURED,
    }
