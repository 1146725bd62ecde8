"""Conversations that have been, written straight into the database."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.models import Conversation, Message

LONG_AGO = timedelta(hours=1)


def tell(owner: User, *texts: str, **fields: Any) -> Conversation:
    """A conversation of these texts, questions and answers by turns."""
    conversation = Conversation.objects.create(owner=owner, **{"model": "gpt-4", "title": "Then", **fields})
    parent = None
    said = []
    for number, text in enumerate(texts):
        role = Message.Role.ASSISTANT if number % 2 else Message.Role.USER
        parent = Message(
            conversation=conversation,
            parent=parent,
            position=number + 1,
            role=role,
            text=text,
            asked_by=owner,
        )
        said.append(parent)
    Message.objects.bulk_create(said)
    conversation.leaf = parent
    conversation.save()
    return conversation


def add(conversation: Conversation, parent: Message | None, text: str, **fields: Any) -> Message:
    """One more message in its tree."""
    return conversation.messages.create(
        parent=parent,
        text=text,
        position=conversation.messages.count() + 1,
        asked_by=conversation.owner,
        **{"role": Message.Role.ASSISTANT, "model": conversation.model, **fields},
    )


def lose(conversation: Conversation, token: APIToken, text: str, **fields: Any) -> Message:
    """An answer whose process died an hour ago, and its call that nobody settled."""
    usage = UsageRecord.objects.create(
        user=conversation.owner, api_token=token, source="chat", model="gpt-4", reserved_tokens=500
    )
    lost = {"state": Message.State.STREAMING, "usage": usage, "heartbeat_at": timezone.now() - LONG_AGO}
    answer = add(conversation, conversation.leaf, text, **{**lost, **fields})
    Conversation.objects.filter(pk=conversation.pk).update(leaf=answer)
    conversation.refresh_from_db()
    return answer
