"""Who are you? People, the invitations by which they come in, and word of sessions that have ended."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PASSWORD_MAX_LENGTH = 128
INVITATION_LASTS = timedelta(days=14)
ENDED_SESSIONS_KEPT = timedelta(days=1)


class User(AbstractUser):
    """A person of the team; signs in with the username or the e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            # Sign-in ignores case: two people who differ in case only would lock each other out.
            models.UniqueConstraint(
                Lower("username"),
                name="username_unique_in_any_case",
                violation_error_message=_("A person with this username exists already."),
            )
        ]

    def check_password(self, raw_password: str | None) -> bool:
        return len(raw_password or "") <= PASSWORD_MAX_LENGTH and super().check_password(raw_password)

    def deactivate(self) -> None:
        """Ends this person's access at once; nothing is deleted but the sessions."""
        self.is_active = False
        self.save(update_fields=["is_active"])
        self.end_sessions()

    def end_sessions(self, except_key: str | None = None) -> None:
        """Signs out every browser of this person, except the one with the given session key."""
        get_adapter().end_sessions(
            UserSession.objects.filter(user_id=self.pk).exclude(session_key=except_key)
        )


class EndedSessionQuerySet(models.QuerySet["EndedSession"]):
    def note(self, session_key: str, *, moved_to: str = "") -> None:
        """Those of yesterday concern nobody any more."""
        self.filter(ended_at__lt=timezone.now() - ENDED_SESSIONS_KEPT).delete()
        ended = EndedSession(session_key=session_key, moved_to=moved_to)
        # The same session may be ended in two tabs at once.
        self.bulk_create([ended], ignore_conflicts=True)


class EndedSession(models.Model):
    """Word of a session that somebody ended, or that goes on under another key; of lost ones there is none."""

    session_key = models.CharField(max_length=40, primary_key=True)
    moved_to = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(default=timezone.now)

    objects = EndedSessionQuerySet.as_manager()

    def __str__(self) -> str:
        return "moved" if self.moved_to else "ended"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def issue(self, invited_by: User | None, email: str = "") -> tuple["Invitation", str]:
        """A new invitation and its token; the token is known only now, we keep its digest."""
        token = secrets.token_urlsafe(32)
        invitation = self.create(invited_by=invited_by, email=email, token_digest=digest(token))
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

    def accept(self, user: User) -> bool:
        """Spends the invitation; False if somebody was faster, or it is no longer open."""
        # One guarded update, so that of two people who race with one link a single one wins.
        return self._end(accepted_by=user, accepted_at=timezone.now())

    def revoke(self) -> bool:
        """Closes an open invitation; False if it was not open any more."""
        return self._end(revoked_at=timezone.now())

    def _end(self, **changes: object) -> bool:
        return Invitation.objects.open().filter(pk=self.pk).update(**changes) == 1
