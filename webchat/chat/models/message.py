"""What was said? One row a message, in a tree: a message's siblings are other ways the talk could go."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.db import connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat import rows
from webchat.accounts.models import User
from webchat.allocation.models import UsageRecord

# An answer whose process has not been heard of for so long has lost it.
LOST_AFTER = timedelta(seconds=15)
IS_RUNNING = "state IN ('pending', 'streaming')"
# One statement for hundreds of answers; as many updates by the ORM would take ten times as long.
CHECKPOINT = f"""
    UPDATE chat_message SET text = %s, state = %s, heartbeat_at = %s
    WHERE id = %s AND {IS_RUNNING}
"""  # noqa: S608
COUNT = f"""
    SELECT MAX(position), COUNT(CASE WHEN {IS_RUNNING} THEN 1 END)
    FROM chat_message WHERE conversation_id = %s
"""  # noqa: S608


class MessageQuerySet(models.QuerySet["Message"]):
    def owned_by(self, user: User) -> Self:
        return self.filter(conversation__owner=user, conversation__deleted_at=None)

    def questions(self) -> Self:
        return self.filter(role=Message.Role.USER)

    def answers(self) -> Self:
        return self.filter(role=Message.Role.ASSISTANT)

    def running(self) -> Self:
        return self.filter(state__in=Message.RUNNING)

    def count_in(self, conversation_pk: UUID) -> tuple[int, int]:
        """The last position in a conversation, 0 when there is none, and how many of its answers are running."""
        connection = connections[self.db]
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [Message._meta.pk.get_db_prep_value(conversation_pk, connection)])
            last, running = cursor.fetchone()
        return last or 0, running

    def lost(self) -> Self:
        """Running answers whose process is gone."""
        return self.running().filter(heartbeat_at__lt=timezone.now() - LOST_AFTER)

    def interrupt(self, reason: str) -> int:
        """Have running answers end, with the text they have; whoever brings them sees it within a second."""
        running = self.running().filter(stop_requested=False)
        return running.update(stop_requested=True, error_code=reason)

    def checkpoint(self, texts: Mapping[UUID, str]) -> set[UUID]:
        """Keep what has arrived of these answers, with a sign of life.

        Returns all answers that go on: not ended, and nobody wants them stopped.
        """
        connection, key, states = connections[self.db], Message._meta.pk.get_db_prep_value, Message.State
        with transaction.atomic(using=self.db):
            # After the wait for the lock, which may be long.
            now = connection.ops.adapt_datetimefield_value(timezone.now())
            rows = [
                (text, (states.STREAMING if text else states.PENDING).value, now, key(pk, connection))
                for pk, text in texts.items()
            ]
            if rows:
                with connection.cursor() as cursor:
                    cursor.executemany(CHECKPOINT, rows)
            return set(self.running().filter(stop_requested=False).values_list("pk", flat=True))


class Message(models.Model):
    """A question or an answer. An answer is `pending` until its first content, then `streaming`."""

    class Role(models.TextChoices):
        USER = "user", _("question")
        ASSISTANT = "assistant", _("answer")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        STREAMING = "streaming", _("arriving")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    RUNNING = (State.PENDING, State.STREAMING)

    class Ended(models.TextChoices):
        """Why an answer was ended though nobody stopped it; kept as its error code."""

        SIGNED_OUT = (
            "signed_out",
            _("This answer ended when the browser that had asked was signed out. What had arrived is kept."),
        )
        TOKEN_WITHDRAWN = (
            "token_withdrawn",
            _("The API token of this answer was taken out of use. Try again, or ask an administrator."),
        )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey("chat.Conversation", models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    # The order of a conversation; clocks may jump.
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=10, choices=Role.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.COMPLETE)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True, editable=False)
    renderer_version = models.PositiveIntegerField(default=0, editable=False)
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    # Made by the client, so that the same request sent twice is one message.
    client_id = models.UUIDField(null=True, editable=False)

    # Of answers only
    model = models.CharField(max_length=200, blank=True)
    choice = models.PositiveSmallIntegerField(default=0, help_text="The upstream's index among n answers.")
    usage = models.ForeignKey(UsageRecord, models.SET_NULL, null=True, related_name="answers")
    finish_reason = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    stop_requested = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="one_message_a_position"),
            models.UniqueConstraint(fields=["asked_by", "client_id"], name="one_message_a_client_id"),
        ]
        indexes = [
            models.Index(
                fields=["heartbeat_at"],
                name="running_answers",
                condition=models.Q(state__in=["pending", "streaming"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"

    @property
    def is_running(self) -> bool:
        return self.state in self.RUNNING

    @property
    def is_answer(self) -> bool:
        return self.role == self.Role.ASSISTANT

    @property
    def can_continue(self) -> bool:
        """Has text, and more could follow."""
        broken_off = self.state in (self.State.STOPPED, self.State.INTERRUPTED)
        return bool(self.text) and (broken_off or self.finish_reason == "length")

    # What the process that generates an answer does with it

    def end(self, state: str, **fields: Any) -> bool:
        """Leave `streaming` for good. Guarded, so that of two who end an answer only one does."""
        fields["ended_at"] = timezone.now()
        if state == self.State.STOPPED:
            # By nobody's button when there is a reason.
            interrupted = Message.objects.running().filter(pk=self.pk, error_code__in=self.Ended.values)
            if interrupted.update(state=self.State.INTERRUPTED, **fields):
                return True
        return rows.change(Message, self.pk, {"state": state, **fields}, only_if=IS_RUNNING)
