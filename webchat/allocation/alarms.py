"""Who has to know? Admins are told by mail, once, when the upstream begins to refuse a token."""

import logging
import smtplib

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.translation import gettext as _

from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models import APIToken
from webchat.upstream.errors import UpstreamError, describe

# What is refused for one model and works for another would be news each time.
MAIL_AGAIN_SECONDS = 3600

logger = logging.getLogger(__name__)


def token_refused(token: APIToken, error: UpstreamError) -> None:
    """Mark the token with the reason; the first time, tell the admins, unless it is over by itself."""
    code = error.code
    if not token.note_refusal(code, error.retry_after) or error.retryable:
        return
    logger.warning("The upstream refused the token “%s”: %s", token, code)
    AuditEvent.objects.note(None, AuditEvent.Action.TOKEN_REFUSED, token, reason=code)
    if not settings.MAIL_CONFIGURED or not cache.add(f"told:{token.pk}:{code}", True, MAIL_AGAIN_SECONDS):
        return
    admins = User.objects.filter(is_superuser=True, is_active=True).exclude(email="")
    link = settings.SITE_URL + reverse("admin:allocation_apitoken_change", args=[token.pk])
    subject = _("The API token “%(token)s” was refused") % {"token": token}
    try:
        send_mail(subject, f"{describe(code, {})}\n\n{link}", None, [admin.email for admin in admins])
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("Admins could not be told by mail: %s", type(error).__name__)
