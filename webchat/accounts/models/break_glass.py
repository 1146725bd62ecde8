"""Who may read somebody else's conversations, why, and until when? The person concerned is told."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.validators import MinLengthValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models.audit import AuditEvent
from webchat.accounts.models.user import User


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    @transaction.atomic
    def open(self, by: User, person: User, *, reason: str, minutes: int) -> "BreakGlass":
        """Let `by` read for so many minutes; it is noted, and `person` is told. Raises `PermissionDenied`."""
        if not by.has_perm("accounts.add_breakglass"):
            raise PermissionDenied
        until = timezone.now() + timedelta(minutes=minutes)
        glass = BreakGlass(person=person, opened_by=by, opened_by_name=str(by), reason=reason, until=until)
        glass.full_clean()
        glass.save()
        AuditEvent.objects.note(
            by,
            AuditEvent.Action.BREAK_GLASS_OPENED,
            glass,
            person=person,
            reason=reason,
            details={"until": until},
        )
        return glass

    def still_open(self) -> Self:
        return self.filter(closed_at=None, until__gt=timezone.now())

    def unseen(self) -> Self:
        return self.filter(dismissed_at=None)

    def dismiss(self) -> int:
        """The person has read the notice. It stays listed."""
        return self.unseen().update(dismissed_at=timezone.now())


class BreakGlass(models.Model):
    """Lets one owner read one person's conversations for a while."""

    class Limit(models.IntegerChoices):
        QUARTER = 15, _("15 minutes")
        HOUR = 60, _("1 hour")
        MORNING = 240, _("4 hours")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="break_glasses")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    opened_by_name = models.CharField(max_length=150)
    reason = models.TextField(
        validators=[MinLengthValidator(10, _("Say why, in 10 characters or more."))], max_length=500
    )
    opened_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        verbose_name = _("break-glass")
        verbose_name_plural = _("break-glasses")
        ordering = ["-opened_at"]
        indexes = [
            models.Index(fields=["person"], name="unseen_notices", condition=models.Q(dismissed_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.opened_by_name} → {self.person}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None and timezone.now() < self.until

    @property
    def ends_at(self) -> datetime:
        return self.closed_at or self.until

    @transaction.atomic
    def close(self, by: User) -> None:
        """Before its time; once it is over this does nothing."""
        self.closed_at = timezone.now()
        if BreakGlass.objects.still_open().filter(pk=self.pk).update(closed_at=self.closed_at):
            AuditEvent.objects.note(by, AuditEvent.Action.BREAK_GLASS_CLOSED, self, person=self.person)

    def note_reading(self, conversation_id: uuid.UUID) -> AuditEvent:
        """Not the title: it is made from what was said, and auditors read the audit trail."""
        details = {"conversation": conversation_id}
        return AuditEvent.objects.note(
            self.opened_by, AuditEvent.Action.BREAK_GLASS_READ, self, person=self.person, details=details
        )

    @property
    def conversations_read(self) -> int:
        return self.readings.order_by().values("details__conversation").distinct().count()

    def has_read(self, conversation_id: uuid.UUID) -> bool:
        return self.readings.filter(details__conversation=str(conversation_id)).exists()

    @property
    def readings(self) -> models.QuerySet[AuditEvent]:
        return AuditEvent.objects.filter(
            action=AuditEvent.Action.BREAK_GLASS_READ, target_id=str(self.pk), person=self.person_id
        )
