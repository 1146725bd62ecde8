"""Which sessions did somebody end? Of those that were merely lost there is no word."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

ENDED_SESSIONS_KEPT = timedelta(days=1)


class EndedSessionQuerySet(models.QuerySet["EndedSession"]):
    def note(self, session_key: str, *, moved_to: str = "") -> None:
        """Those of yesterday concern nobody any more."""
        self.filter(ended_at__lt=timezone.now() - ENDED_SESSIONS_KEPT).delete()
        ended = EndedSession(session_key=session_key, moved_to=moved_to)
        # The same session may be ended in two tabs at once.
        self.bulk_create([ended], ignore_conflicts=True)


class EndedSession(models.Model):
    """Word of a session that somebody ended, or that goes on under another key."""

    session_key = models.CharField(max_length=40, primary_key=True)
    moved_to = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(default=timezone.now)

    objects = EndedSessionQuerySet.as_manager()

    def __str__(self) -> str:
        return "moved" if self.moved_to else "ended"
