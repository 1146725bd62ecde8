"""What does the model get to read? The branch that leads to an answer, in the upstream's words."""

from uuid import UUID

import msgspec

from webchat.chat.models import Conversation, Message
from webchat.upstream import tokens
from webchat.upstream.wire import Message as ChatMessage

GO_ON = "Continue exactly where your last message stopped. Do not repeat anything and do not comment on this."


def to_answer(conversation: Conversation, answer: Message) -> list[ChatMessage]:
    """What is sent to get this answer; one that has a beginning already is to be gone on with."""
    messages = [*instructions(conversation.system), *said(conversation, answer.parent)]
    if answer.text:
        messages += [ChatMessage("assistant", answer.text), ChatMessage("user", GO_ON)]
    return messages


def instructions(system: str) -> list[ChatMessage]:
    return [ChatMessage("system", system)] if system else []


def said(conversation: Conversation, last: Message | None) -> list[ChatMessage]:
    """Every message with words in it on the branch that ends in `last`."""
    # The API refuses empty messages, and an answer may have been stopped before its first word.
    return [
        ChatMessage(message.role, message.text)
        for message in _ancestors(conversation, last)
        if message.text.strip()
    ]


def most_tokens(conversation: Conversation, question: Message) -> int:
    """The most that one more answer to this question may take, by our estimate."""
    return estimate(conversation, question) + (conversation.max_tokens or 0)


def estimate(conversation: Conversation, question: Message | None) -> int:
    """How many tokens there are to read before this question is answered."""
    messages = [*instructions(conversation.system), *said(conversation, question)]
    return tokens.estimate_messages(msgspec.to_builtins(messages))


def for_title(question: str, answer: str) -> list[ChatMessage]:
    """Asks for a conversation's title from its first exchange."""
    instruction = (
        "Give this conversation a title of 2 to 6 words, in the language of the question. "
        "Answer with the title alone: no quotes, no full stop."
    )
    exchange = f"Question: {question[:2000]}\n\nAnswer: {answer[:2000]}"
    return [ChatMessage("system", instruction), ChatMessage("user", exchange)]


def _ancestors(conversation: Conversation, message: Message | None) -> list[Message]:
    parents: dict[UUID, UUID | None] = dict(conversation.messages.values_list("pk", "parent_id"))
    path, pk = [], message.pk if message else None
    while pk is not None:
        path.append(pk)
        pk = parents[pk]
    return list(
        conversation.messages.filter(pk__in=path)
        .only("role", "text", "position", "conversation")
        .order_by("position")
    )
