"""What goes over the socket? HTML that finds its own place on the page: out-of-band swaps for htmx."""

from collections.abc import Sequence
from uuid import UUID
from zlib import crc32

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from webchat.chat.markdown import Change
from webchat.chat.models import Conversation, Message
from webchat.chat.thread import ShownMessage, Thread

# What a page shows: for each message the first digits of its id, and a letter for its state.
Seen = list[tuple[str, str]]
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


def seen(messages: Sequence[ShownMessage]) -> Seen:
    return [(_short(message.pk), _letter(message)) for message in messages]


def difference(shown: Seen, thread: Thread) -> str:
    """What turns a page that shows this into the thread; empty when nothing has to change.

    Older messages above the thread's first stay as they are. Running answers are always sent whole:
    how much of their text the page has is not known here.
    """
    states = dict(shown)
    wanted = [_short(message.pk) for message in thread.messages]
    listed = [short for short, _letter in shown]
    if not wanted or wanted[0] not in states:
        return thread_replaced(thread) if wanted or listed else ""
    listed = listed[listed.index(wanted[0]) :]
    common = next(
        (place for place, pair in enumerate(zip(listed, wanted, strict=False)) if pair[0] != pair[1]),
        min(len(listed), len(wanted)),
    )
    changed = [
        message
        for message, short in zip(thread.messages[:common], wanted, strict=False)
        if message.is_running or _letter(message) != states[short]
    ]
    gone, added = listed[common:], thread.messages[common:]
    if not (changed or gone or added):
        return ""
    return render_to_string("chat/frames/messages.html", {"changed": changed, "gone": gone, "added": added})


def thread_replaced(thread: Thread) -> str:
    context = {"thread": thread.messages, "older_url": thread.older_url}
    return render_to_string("chat/frames/thread.html", context)


def message_replaced(message: ShownMessage) -> str:
    return render_to_string("chat/frames/messages.html", {"changed": [message]})


def answer_grew(pk: UUID, changes: Sequence[Change]) -> str:
    return render_to_string("chat/frames/answer_grew.html", {"pk": pk, "changes": changes})


def header_mark(conversation: Conversation) -> str:
    """Tells whether a page shows the conversation's title and model as they are."""
    shown = f"{conversation.title}\n{conversation.model}"
    return f"{crc32(shown.encode()):08x}"


def header_changed(conversation: Conversation) -> str:
    return render_to_string("chat/frames/header_changed.html", {"conversation": conversation})


def not_understood() -> str:
    text = _("The portal did not understand what this page sent. Reload the page.")
    return render_to_string("layout_toast.html", {"text": text})


def _letter(message: ShownMessage) -> str:
    return LETTERS[State(message.state)]


def _short(pk: UUID) -> str:
    return pk.hex[:8]
