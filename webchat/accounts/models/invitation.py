"""By what do people come in? Invitations: each lets one person sign up, once."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models.audit import AuditEvent
from webchat.accounts.models.user import User

INVITATION_LASTS = timedelta(days=14)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    @transaction.atomic
    def issue(self, invited_by: User | None, email: str = "", **fields: Any) -> tuple["Invitation", str]:
        """A new invitation and its token; the token is known only now, we keep its digest."""
        token = secrets.token_urlsafe(32)
        invitation = self.create(invited_by=invited_by, email=email, token_digest=digest(token), **fields)
        AuditEvent.objects.note(invited_by, AuditEvent.Action.PERSON_INVITED, invitation)
        return invitation, token

    def open(self) -> "InvitationQuerySet":
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())

    def find(self, token: str) -> "Invitation | None":
        return self.open().filter(token_digest=digest(token)).first()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def in_two_weeks() -> datetime:
    return timezone.now() + INVITATION_LASTS


class Invitation(models.Model):
    """Lets one person sign up, once; if it names an address, with that address only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="invitations",
        verbose_name=_("invited by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), default=in_two_weeks)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("accepted by"),
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.email or str(self.pk)

    @staticmethod
    def link(token: str) -> str:
        """The whole address to send to whom you invite."""
        return f"{settings.SITE_URL}{reverse('accounts:invitation', args=[token])}"

    def is_for(self, email: str) -> bool:
        return not self.email or self.email.lower() == email.lower()

    @transaction.atomic
    def accept(self, user: User) -> bool:
        """Spends the invitation; False if somebody was faster, or it is no longer open."""
        # One guarded update, so that of two people who race with one link a single one wins.
        joined = self._end(accepted_by=user, accepted_at=timezone.now())
        if joined:
            AuditEvent.objects.note(user, AuditEvent.Action.PERSON_JOINED, self, person=user)
        return joined

    @transaction.atomic
    def revoke(self, by: User | None = None) -> bool:
        """Closes an open invitation; False if it was not open any more."""
        now = timezone.now()
        revoked = self._end(revoked_at=now)
        if revoked:
            details = {"revoked_at": [None, now]}
            AuditEvent.objects.note(by, AuditEvent.Action.INVITATION_CHANGED, self, details=details)
        return revoked

    def _end(self, **changes: object) -> bool:
        return Invitation.objects.open().filter(pk=self.pk).update(**changes) == 1
