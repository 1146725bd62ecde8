"""Who is told of a request by mail? Those who may decide it; and whoever asked, when it is decided."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from webchat.accounts.models import User
from webchat.allocation.models import AllocationRequest

logger = logging.getLogger(__name__)


def deciders() -> list[User]:
    """Who may grant or refuse."""
    staff = User.objects.filter(is_active=True, is_staff=True).order_by("username")
    return [person for person in staff if person.has_perm("allocation.change_allocationrequest")]


def tell_deciders(request: AllocationRequest) -> None:
    """In English: nobody knows in which language they read."""
    if not settings.MAIL_CONFIGURED:
        return
    addresses = [person.email for person in deciders() if person.email]
    link = reverse("admin:allocation_allocationrequest_change", args=[request.pk])
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(person)s asks for more") % {"person": request.user}
        _send("asked", subject, request, link, addresses)


def tell_person(request: AllocationRequest) -> None:
    """In the language in which they asked."""
    if not settings.MAIL_CONFIGURED:
        return
    addresses = [request.user.email] if request.user.email else []
    with translation.override(request.language or settings.LANGUAGE_CODE):
        _send("decided", request.decision, request, reverse("allocation:ask"), addresses)


def _send(name: str, subject: str, request: AllocationRequest, path: str, addresses: list[str]) -> None:
    """A mail server that is away costs nobody the request."""
    if not addresses:
        return
    context = {"asked": request, "link": settings.SITE_URL + path, "step": request.steps.last()}
    text = render_to_string(f"allocation/mail/{name}.txt", context)
    try:
        send_mail(subject, text, None, addresses)
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("A request could not be told by mail: %s", type(error).__name__)
