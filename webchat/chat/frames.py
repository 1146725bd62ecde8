"""What goes over the socket? HTML that finds its own place on the page: out-of-band swaps for htmx."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from webchat.chat.markdown import Change
from webchat.chat.models import Conversation, Message
from webchat.chat.spending import Total
from webchat.chat.thread import Row, ShownMessage, Thread

# What a page shows: for each message the first digits of its id, and a letter for its state.
Seen = list[tuple[str, str]]
Shown = Row | ShownMessage
State = Message.State
LETTERS = {
    State.PENDING: "p",
    State.STREAMING: "r",
    State.COMPLETE: "c",
    State.STOPPED: "s",
    State.FAILED: "f",
    State.INTERRUPTED: "i",
}


def read_seen(text: str) -> Seen:
    """From a page's own list, `1a2b3c4d.c,…`. What cannot be read matches no message, so all are sent."""
    pairs = [item.partition(".") for item in text.split(",") if item]
    return [(short, letter) for short, _dot, letter in pairs]


def seen(messages: Iterable[Shown]) -> Seen:
    return [(short(message.pk), _letter(message)) for message in messages]


@dataclass(frozen=True)
class Difference:
    """What to do with a page: begin anew, or take some out, show some again, and put some at the end."""

    is_replaced: bool = False
    gone: Sequence[str] = ()
    changed: Sequence[UUID] = ()
    added: Sequence[UUID] = ()

    @property
    def needed(self) -> list[UUID]:
        return [*self.changed, *self.added]


def compare(shown: Seen, rows: Sequence[Row]) -> Difference:
    """What turns a page that shows this into one that shows these.

    Older messages above the first stay as they are. Running answers are always sent whole:
    how much of their text the page has is not known here.
    """
    states = dict(shown)
    wanted = [short(row.pk) for row in rows]
    listed = [digits for digits, _letter in shown]
    if not wanted or wanted[0] not in states:
        return Difference(is_replaced=bool(wanted or listed), added=[row.pk for row in rows])
    listed = listed[listed.index(wanted[0]) :]
    common = next(
        (place for place, pair in enumerate(zip(listed, wanted, strict=False)) if pair[0] != pair[1]),
        min(len(listed), len(wanted)),
    )
    changed = [
        row.pk
        for row in rows[:common]
        if row.state in Message.RUNNING or _letter(row) != states[short(row.pk)]
    ]
    return Difference(gone=listed[common:], changed=changed, added=[row.pk for row in rows[common:]])


def thread_changed(difference: Difference, messages: Mapping[UUID, ShownMessage], older_url: str) -> str:
    """Empty when nothing has to change."""
    changed, added = (
        [messages[pk] for pk in ids if pk in messages] for ids in (difference.changed, difference.added)
    )
    if difference.is_replaced:
        return thread_replaced(Thread(added, older_url))
    if not (changed or added or difference.gone):
        return ""
    context = {"changed": changed, "gone": difference.gone, "added": added}
    return render_to_string("chat/frames/messages.html", context)


def thread_replaced(thread: Thread) -> str:
    context = {"thread": thread.messages, "older_url": thread.older_url}
    return render_to_string("chat/frames/thread.html", context)


def message_replaced(message: ShownMessage) -> str:
    return render_to_string("chat/frames/messages.html", {"changed": [message]})


def answer_grew(pk: UUID, changes: Sequence[Change]) -> str:
    """New blocks, blocks anew, more text at the end of one."""
    return "".join(
        _form(change.action)
        % {"pk": pk, "block": change.block, "html": change.html, "target": escape(change.target)}
        for change in changes
    )


@cache
def _form(action: str) -> str:
    """The template with places to fill: most frames are one of these, and Django would take longer than the rest."""
    places = {name: mark_safe(f"%({name})s") for name in ("pk", "block", "html", "target")}  # noqa: S308
    return render_to_string(f"chat/frames/block_{action}.html", places)


def header_changed(conversation: Conversation) -> str:
    return render_to_string("chat/frames/header_changed.html", {"conversation": conversation})


def total_changed(total: Total) -> str:
    return render_to_string("chat/_total.html", {"total": total, "oob": "true"})


def not_understood() -> str:
    text = _("The portal did not understand what this page sent. Reload the page.")
    return render_to_string("layout_toast.html", {"text": text})


def _letter(message: Shown) -> str:
    return LETTERS[State(message.state)]


def short(pk: UUID) -> str:
    return pk.hex[:8]
