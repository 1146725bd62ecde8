"""What goes over the socket? HTML that finds its own place on the page: out-of-band swaps for htmx."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

from django.template.loader import render_to_string
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
    return [(_short(message.pk), _letter(message)) for message in messages]


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
    wanted = [_short(row.pk) for row in rows]
    listed = [short for short, _letter in shown]
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
        if row.state in Message.RUNNING or _letter(row) != states[_short(row.pk)]
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
    """New blocks, blocks anew, more text at the end of one. Most frames are this, so no template has to decide."""
    return "".join(_block(str(pk), change) for change in changes)


def _block(pk: str, change: Change) -> str:
    context = {"pk": pk, "block": str(change.block), "html": change.html, "target": change.target}
    return render_to_string(f"chat/frames/block_{change.action}.html", context)


def header_mark(conversation: Conversation) -> str:
    """Tells whether a page shows the conversation's title and model as they are."""
    shown = f"{conversation.title}\n{conversation.model}"
    return f"{crc32(shown.encode()):08x}"


def header_changed(conversation: Conversation) -> str:
    return render_to_string("chat/frames/header_changed.html", {"conversation": conversation})


def total_changed(total: Total) -> str:
    return render_to_string("chat/_total.html", {"total": total, "oob": "true"})


def not_understood() -> str:
    text = _("The portal did not understand what this page sent. Reload the page.")
    return render_to_string("layout_toast.html", {"text": text})


def _letter(message: Shown) -> str:
    return LETTERS[State(message.state)]


def _short(pk: UUID) -> str:
    return pk.hex[:8]
