"""What do we talk about? A conversation: its settings, its tree of messages, and the branch that is shown."""

import uuid
from dataclasses import asdict
from typing import Literal, Self

from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from webchat import rows
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.models import Need, UsageRecord
from webchat.allocation.refusals import Refused
from webchat.chat.models.exchange import AnswerStillRunning, ClientIdReused, Exchange, Parameters
from webchat.chat.models.message import Message


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, user: User) -> Self:
        return self.filter(owner=user, deleted_at=None)

    def one_of(self, user: User, pk: uuid.UUID) -> "Conversation":
        """`owned_by(user).get(pk=pk)`, quickly."""
        found = rows.find(Conversation, pk)
        if found is None or found.owner_id != user.pk or found.deleted_at:
            raise Conversation.DoesNotExist
        # Who has been loaded already need not be loaded again.
        found.owner = user
        return found

    def deleted_by(self, user: User) -> Self:
        return self.filter(owner=user).exclude(deleted_at=None)

    def begin(
        self, owner: User, text: str, *, client_id: uuid.UUID, parameters: Parameters, need: Need
    ) -> Exchange:
        """A new conversation with its first question. The same `client_id` again finds what it brought."""
        earlier = Message.objects.filter(asked_by=owner, client_id=client_id).select_related("conversation")

        def ask(conversation: Conversation) -> Exchange:
            return conversation.ask(text, client_id=client_id, parameters=parameters, need=need)

        if message := earlier.first():
            return ask(message.conversation)
        try:
            with transaction.atomic():
                conversation = self.create(owner=owner, title=title_from(text), **asdict(parameters))
                return ask(conversation)
        except (IntegrityError, ClientIdReused):
            # The same request won the race in another process; other words with this id are refused once more.
            return ask(earlier.get().conversation)


class Conversation(models.Model):
    """A talk of one person with models."""

    class TitledBy(models.TextChoices):
        QUESTION = "question", _("the first question")
        MODEL = "model", _("a model")
        PERSON = "person", _("a person")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    titled_by = models.CharField(max_length=10, choices=TitledBy.choices, default=TitledBy.QUESTION)
    model = models.CharField(max_length=200)
    system = models.TextField(blank=True)
    temperature = models.FloatField(null=True, blank=True)
    top_p = models.FloatField(null=True, blank=True)
    max_tokens = models.PositiveIntegerField(null=True, blank=True)
    n = models.PositiveSmallIntegerField(default=1)
    # The last message of the branch that is shown.
    leaf = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+", editable=False)
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-active_at", "-pk"]
        indexes = [
            models.Index(fields=["owner", "-active_at"], condition=models.Q(deleted_at=None), name="sidebar")
        ]

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        return reverse("chat:conversation", kwargs={"pk": self.pk})

    @property
    def display_title(self) -> str:
        return self.title or str(_("Untitled"))

    @property
    def parameters(self) -> Parameters:
        return Parameters(self.model, self.system, self.temperature, self.top_p, self.max_tokens, self.n)

    # Asking and answering: each verb is one transaction

    MAY_CHANGE = (
        "title", "titled_by", "model", "system", "temperature", "top_p", "max_tokens", "n",
        "leaf_id", "is_pinned", "active_at", "deleted_at",
    )  # fmt: skip

    def ask(
        self,
        text: str,
        *,
        client_id: uuid.UUID,
        parameters: Parameters,
        need: Need,
        after: Message | Literal["leaf"] | None = "leaf",
    ) -> Exchange:
        """Save a question and the answers that are to come, with what they may cost reserved.

        `need` is what they may take at most; `after` the message that the question follows, by default the
        last one shown. Raises `ClientIdReused`, `AnswerStillRunning`, `refusals.Refused`.
        """
        try:
            return self._ask(text, client_id, parameters, need, after)
        except (AnswerStillRunning, IntegrityError, Refused):
            # Sent twice, it is found here, where it costs others nothing.
            if (earlier := self._brought_by(client_id)) is None:
                raise
        if earlier.conversation_id != self.pk or earlier.text != text:
            raise ClientIdReused
        return Exchange(self, earlier, list(earlier.children.all()), is_new=False)

    @transaction.atomic
    def _ask(
        self,
        text: str,
        client_id: uuid.UUID,
        parameters: Parameters,
        need: Need,
        after: Message | Literal["leaf"] | None,
    ) -> Exchange:
        self._lock()
        model_before = self.model
        for name, value in asdict(parameters).items():
            setattr(self, name, value)
        parent_id = self.leaf_id if after == "leaf" else after and after.pk
        position = self._next_position()
        question = self._message(
            Message.Role.USER, position, parent_id=parent_id, text=text, client_id=client_id
        )
        answers = self._answers(question, position + 1, need=need)
        self._add(question, *answers)
        return Exchange(self, question, answers, goes_on=after == "leaf", model_before=model_before)

    @transaction.atomic
    def answer(
        self, question: Message, *, client_id: uuid.UUID | None, need: Need, beginning: str = ""
    ) -> Exchange:
        """Save the answers that are to come to a question, with what they may cost reserved.

        With a `beginning` it is one answer, which starts with that text and goes on from there.
        """
        self._lock()
        if client_id and (earlier := self._brought_by(client_id)):
            if earlier.parent_id != question.pk:
                raise ClientIdReused
            return Exchange(self, question, [earlier], is_new=False)
        answers = self._answers(
            question, self._next_position(), need=need, client_id=client_id, beginning=beginning
        )
        self._add(*answers)
        return Exchange(self, question, answers)

    def _lock(self) -> None:
        """Let writers of one conversation wait for each other (SQLite has one writer at a time anyway)."""
        if (locked := rows.find(Conversation, self.pk, lock=True)) is None:
            raise Conversation.DoesNotExist
        # Not the owner: who has been loaded already would have to be loaded again.
        for name in self.MAY_CHANGE:
            setattr(self, name, getattr(locked, name))

    def _brought_by(self, client_id: uuid.UUID) -> Message | None:
        return Message.objects.filter(asked_by_id=self.owner_id, client_id=client_id).first()

    def _next_position(self) -> int:
        """Raises `AnswerStillRunning`."""
        last, running = Message.objects.all().count_in(self.pk)
        if running:
            raise AnswerStillRunning
        return last + 1

    def _answers(
        self,
        question: Message,
        position: int,
        *,
        need: Need,
        client_id: uuid.UUID | None = None,
        beginning: str = "",
    ) -> list[Message]:
        usage = metering.reserve(self.owner, source=UsageRecord.Source.CHAT, model=self.model, need=need)
        return [
            self._message(
                Message.Role.ASSISTANT,
                position + choice,
                parent=question,
                state=Message.State.STREAMING if beginning else Message.State.PENDING,
                text=beginning,
                client_id=client_id if choice == 0 else None,
                model=self.model,
                choice=choice,
                usage=usage,
                heartbeat_at=timezone.now(),
            )
            for choice in range(need.n)
        ]

    def _message(self, role: str, position: int, **fields: object) -> Message:
        return Message(conversation=self, role=role, position=position, asked_by_id=self.owner_id, **fields)

    def _add(self, *messages: Message) -> None:
        """Save them, with the first answer shown and what it is asked with."""
        rows.add(*messages)
        first = next(message for message in messages if message.is_answer)
        self._set(leaf_id=first.pk, active_at=timezone.now(), **asdict(self.parameters))

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        if not rows.change(Conversation, self.pk, fields):
            raise Conversation.DoesNotExist

    # The branch that is shown

    def show_branch_of(self, message: Message) -> None:
        """Show the newest branch that goes through this message."""
        newest_child = dict(
            self.messages.exclude(parent=None).order_by("position").values_list("parent_id", "pk")
        )
        pk = message.pk
        while pk in newest_child:
            pk = newest_child[pk]
        self._set(leaf_id=pk)

    # Order in the sidebar

    def rename(self, title: str) -> None:
        self._set(title=title, titled_by=self.TitledBy.PERSON)

    def entitle(self, title: str) -> bool:
        """Take a title that a model made, unless a person has given one meanwhile."""
        values = {"title": title[:200], "titled_by": self.TitledBy.MODEL}
        if not rows.change(Conversation, self.pk, values, only_if="titled_by = 'question'"):
            return False
        self.title, self.titled_by = title[:200], self.TitledBy.MODEL
        return True

    def pin(self, is_pinned: bool) -> None:
        self._set(is_pinned=is_pinned)

    def delete_softly(self) -> None:
        self._set(deleted_at=timezone.now(), is_pinned=False)

    def restore(self) -> None:
        self._set(deleted_at=None)


def title_from(text: str) -> str:
    """A first title: the beginning of the question's first line."""
    return Truncator(text.strip().partition("\n")[0].strip()).chars(60)
