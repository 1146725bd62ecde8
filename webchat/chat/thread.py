"""What does a reader see of a conversation? The shown branch, a window of it, each message ready to render."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4
from zlib import crc32

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from webchat.allocation import receipts
from webchat.allocation.models import UsageRecord
from webchat.chat import markdown
from webchat.chat.live import LiveAnswer, Notice
from webchat.chat.markdown import Change, GrowingMarkdown
from webchat.chat.models import Conversation, Exchange, Message
from webchat.upstream.errors import describe

WINDOW = 50


@dataclass(frozen=True)
class ShownMessage:
    """A message as the templates take it: everything loaded, nothing to be asked for."""

    pk: UUID
    role: str
    state: str
    text: str
    html: SafeString
    revision: int
    model: str
    answered_model: str
    finish_reason: str
    error_sentence: str
    receipt: list[str]
    can_continue: bool
    created_at: datetime
    sibling_number: int
    sibling_count: int
    previous_sibling_id: UUID | None
    next_sibling_id: UUID | None
    # What was asked, and what answered if that has another name
    models: str = ""
    # By the model, for this answer and with it: what it will have to read before the next question
    tokens_read: int = 0
    notice_sentence: str = ""
    blocks: list[Change] = field(default_factory=list)

    @property
    def fresh_id(self) -> UUID:
        """For a form to send along, so that sent twice it is done once."""
        return uuid4()

    @property
    def is_running(self) -> bool:
        return self.state in Message.RUNNING

    def as_it_grows(self, live: LiveAnswer) -> "ShownMessage":
        """With what has arrived by now, instead of what had been saved."""
        return replace(
            self,
            state=live.state,
            revision=live.revision,
            blocks=live.changes_since(0),
            notice_sentence=_sentence(live.notice) if live.notice else "",
        )

    def as_it_ended(self, message: Message) -> "ShownMessage":
        """As it has been saved; who stands beside it cannot have changed while it was arriving."""
        ended = _message(message, {})
        return replace(
            ended,
            sibling_number=self.sibling_number,
            sibling_count=self.sibling_count,
            previous_sibling_id=self.previous_sibling_id,
            next_sibling_id=self.next_sibling_id,
        )


@dataclass(frozen=True)
class Thread:
    """A window of the shown branch, oldest first, and where to fetch what came before it."""

    messages: list[ShownMessage]
    older_url: str

    @property
    def tokens_so_far(self) -> int:
        """About what there is to read before the next question, by the last call's record."""
        return next((one.tokens_read for one in reversed(self.messages) if one.tokens_read), 0)


def load(conversation: Conversation, before: UUID | None = None) -> Thread:
    """The newest messages of the shown branch, or those `before` one of them."""
    outline = Outline(conversation)
    rows = outline.window(before)
    shown = outline.show([row.pk for row in rows])
    return Thread([shown[row.pk] for row in rows if row.pk in shown], outline.older_url(rows))


def header_mark(title: str, model: str) -> str:
    """Tells whether a page shows a conversation's title and model as they are."""
    shown = f"{title}\n{model}"
    return f"{crc32(shown.encode()):08x}"


def begun(exchange: Exchange) -> list[ShownMessage]:
    """A new question and the answer that is shown, when nothing else has ever followed what is before them."""
    question, first = exchange.question, exchange.answers[0]
    answers = [answer.pk for answer in exchange.answers]
    beside: dict[tuple[UUID | None, str], list[UUID]] = {(question.pk, first.role): answers}
    return [_message(question, beside), _message(first, beside)]


class Row(NamedTuple):
    pk: UUID
    parent_id: UUID | None
    role: str
    state: str


class Outline:
    """Who follows whom, in which state: what it takes to tell what has changed, without a word of what was said."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        rows = conversation.messages.order_by("position").values_list("pk", "parent_id", "role", "state")
        self._rows = {row[0]: Row(*row) for row in rows}

    @property
    def ended(self) -> int:
        """How many answers have ended: as long as no other has, the conversation has taken no more."""
        return sum(
            row.role == Message.Role.ASSISTANT and row.state not in Message.RUNNING
            for row in self._rows.values()
        )

    def window(self, before: UUID | None = None) -> list[Row]:
        """The newest of the shown branch, or those `before` one of them; oldest first."""
        row = self._rows.get(self._conversation.leaf_id) if self._conversation.leaf_id else None
        branch: list[Row] = []
        while row is not None:
            branch.append(row)
            row = self._rows.get(row.parent_id) if row.parent_id else None
        branch.reverse()
        ids = [row.pk for row in branch]
        if before is None:
            return branch[-WINDOW:]
        # Perhaps another branch is shown by now; its messages come through the socket.
        end = ids.index(before) if before in ids else 0
        return branch[max(0, end - WINDOW) : end]

    def older_url(self, rows: Sequence[Row]) -> str:
        """Where to fetch what came before these."""
        if not rows or rows[0].parent_id is None:
            return ""
        return f"{reverse('chat:messages', kwargs={'pk': self._conversation.pk})}?before={rows[0].pk}"

    def show(self, ids: Sequence[UUID]) -> dict[UUID, "ShownMessage"]:
        """These messages, but for those that are gone by now."""
        if not ids:
            return {}
        beside: defaultdict[tuple[UUID | None, str], list[UUID]] = defaultdict(list)
        for row in self._rows.values():
            beside[row.parent_id, row.role].append(row.pk)
        found = self._conversation.messages.select_related("usage").in_bulk(ids)
        return {pk: _message(message, beside) for pk, message in found.items()}


def _message(message: Message, siblings: Mapping[tuple[UUID | None, str], list[UUID]]) -> ShownMessage:
    beside = siblings.get((message.parent_id, message.role), [message.pk])
    place = beside.index(message.pk) if message.pk in beside else 0
    return ShownMessage(
        pk=message.pk,
        role=message.role,
        state=message.state,
        text=message.text,
        html=_html(message),
        revision=len(message.text),
        model=message.model,
        answered_model=message.usage.answered_model if message.usage else "",
        finish_reason=message.finish_reason,
        error_sentence=_error_sentence(message),
        receipt=receipts.parts(message.usage) if message.usage else [],
        models=receipts.models(message.usage) if message.usage else message.model,
        tokens_read=_tokens_read(message.usage) if message.usage else 0,
        can_continue=message.can_continue,
        created_at=message.created_at,
        sibling_number=place + 1,
        sibling_count=len(beside),
        previous_sibling_id=beside[place - 1] if place else None,
        next_sibling_id=beside[place + 1] if place + 1 < len(beside) else None,
        blocks=_growing(message.text) if message.is_running else [],
    )


def _error_sentence(message: Message) -> str:
    if not message.error_code:
        return ""
    if message.error_code in Message.Ended.values:
        return str(Message.Ended(message.error_code).label)
    return describe(message.error_code, message.error_params, has_text=bool(message.text))


def _html(message: Message) -> SafeString:
    """The kept rendering of an answer, or a new one when the renderer has changed since."""
    if not message.is_answer or message.is_running:
        return SafeString()
    if message.renderer_version != markdown.RENDERER_VERSION:
        message.html = markdown.render(message.text, prefix=message.pk.hex[:8])
        kept = {"html": message.html, "renderer_version": markdown.RENDERER_VERSION}
        Message.objects.filter(pk=message.pk, text=message.text).update(**kept)
    return mark_safe(message.html)  # noqa: S308 (sanitised by markdown.render before it was kept)


def _sentence(notice: Notice) -> str:
    if not notice.error_code:
        return _("Many answers are arriving at the moment; this one waits for its turn.")
    if notice.error_code == "rate_limited":
        wait = _("The AI service is receiving too many requests. It is asked again in %(seconds)d s.")
    else:
        wait = _("The AI service has a problem at the moment. It is asked again in %(seconds)d s.")
    return wait % {"seconds": notice.seconds_left}


def _growing(text: str) -> list[Change]:
    growing = GrowingMarkdown()
    growing.append(text)
    return growing.changes_since(0)


def _tokens_read(usage: UsageRecord) -> int:
    return usage.prompt_tokens + usage.completion_tokens // max(usage.n, 1)
