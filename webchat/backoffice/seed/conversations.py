"""What did Alice and Bob talk about? The files in `talks`, as if each had been answered in its time."""

import uuid
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import UsageRecord
from webchat.backoffice.seed.month import Month
from webchat.chat import markdown
from webchat.chat.models import Conversation, Message

FILES = Path(__file__).with_name("talks")
# Between questions and answers, each on a line of its own.
BREAK = "\n\n=====\n\n"
PAUSE = timedelta(minutes=3)
# About so many characters are a token.
CHARACTERS = 3


def write(month: Month) -> list[tuple[Conversation, list[Message]]]:
    """To be kept once their calls are booked; the calls go into the month."""
    return [_write(path.read_text(encoding="utf-8"), month) for path in sorted(FILES.glob("*.md"))]


def keep(talks: list[tuple[Conversation, list[Message]]]) -> None:
    messages = [message for _talk, theirs in talks for message in theirs]
    written_at = {message.pk: message.created_at for message in messages}
    Conversation.objects.bulk_create([talk for talk, _theirs in talks])
    Message.objects.bulk_create(messages)
    for message in messages:
        # `auto_now_add` has put the present in its place.
        message.created_at = written_at[message.pk]
    Message.objects.bulk_update(messages, ["created_at"])
    for talk, theirs in talks:
        talk.leaf, talk.created_at = theirs[-1], theirs[0].created_at
    Conversation.objects.bulk_update([talk for talk, _theirs in talks], ["leaf", "created_at"])


def _write(text: str, month: Month) -> tuple[Conversation, list[Message]]:
    head, *said = text.strip().split(BREAK)
    name, model, days, title = head.split(" | ")
    owner = User.objects.get(username=name)
    moment = timezone.now() - timedelta(days=int(days), hours=2)
    talk = Conversation(owner=owner, title=title, titled_by=Conversation.TitledBy.MODEL, model=model)
    messages: list[Message] = []
    for question, answer in zip(said[::2], said[1::2], strict=True):
        heard = sum(len(message.text) for message in messages) + len(question)
        tokens = heard // CHARACTERS, len(answer) // CHARACTERS
        record = month.add(name, name, model, moment, *tokens)
        messages += _exchange(talk, messages, question, answer, record)
        moment += PAUSE
        talk.active_at = moment
    return talk, messages


def _exchange(
    talk: Conversation, before: list[Message], question: str, answer: str, record: UsageRecord
) -> list[Message]:
    place = {"conversation": talk, "asked_by": talk.owner}
    asked = Message(
        role=Message.Role.USER,
        position=len(before) + 1,
        parent=before[-1] if before else None,
        text=question,
        client_id=uuid.uuid4(),
        created_at=record.created_at,
        **place,
    )
    answered = Message(
        role=Message.Role.ASSISTANT,
        position=len(before) + 2,
        parent=asked,
        text=answer,
        model=talk.model,
        usage=record,
        finish_reason="stop",
        created_at=record.created_at,
        ended_at=record.settled_at,
        renderer_version=markdown.RENDERER_VERSION,
        **place,
    )
    answered.html = markdown.render(answer, answered.pk.hex[:8])
    return [asked, answered]
