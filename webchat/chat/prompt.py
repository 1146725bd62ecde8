"""What does the model get to read? The branch that leads to an answer, in the upstream's words."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from webchat.allocation.models import ModelInfo, Need
from webchat.chat.models import Conversation, Message
from webchat.upstream import tokens
from webchat.upstream.wire import Message as ChatMessage

GO_ON = "Continue exactly where your last message stopped. Do not repeat anything and do not comment on this."


def to_answer(conversation: Conversation, answer: Message) -> list[ChatMessage]:
    """What is sent to get this answer; one that has a beginning already is to be gone on with."""
    messages = [*instructions(conversation.system), *said(conversation, answer.parent_id).messages]
    if answer.text:
        messages += [ChatMessage("assistant", answer.text), ChatMessage("user", GO_ON)]
    return as_taken_by(ModelInfo.find(answer.model), messages)


def as_taken_by(model: ModelInfo, messages: list[ChatMessage]) -> list[ChatMessage]:
    """A model that takes no instructions reads them at the beginning of the first question."""
    if model.has_system_role or [message.role for message in messages[:2]] != ["system", "user"]:
        return messages
    system, first, *rest = messages
    if isinstance(first.content, str):
        return [ChatMessage("user", f"{system.content}\n\n{first.content}"), *rest]
    return [ChatMessage("user", [{"type": "text", "text": system.content}, *first.content]), *rest]


def instructions(system: str) -> list[ChatMessage]:
    return [ChatMessage("system", system)] if system else []


@dataclass(frozen=True)
class Said:
    """Every message with words in it on a branch; not final while the last of them is still arriving."""

    messages: list[ChatMessage]
    is_final: bool


def said(conversation: Conversation, last: UUID | None) -> Said:
    """On the branch that ends in `last`."""
    columns = ("pk", "parent_id", "role", "text", "state")
    rows = {row[0]: row[1:] for row in conversation.messages.values_list(*columns)} if last else {}
    branch, is_final = [], True
    while last:
        last, role, text, state = rows[last]
        is_final = is_final and state not in Message.RUNNING
        # The API refuses empty messages, and an answer may have been stopped before its first word.
        if text.strip():
            branch.append(ChatMessage(role, text))
    return Said(branch[::-1], is_final)


def need(conversation: Conversation, question: Message, *, beginning: str = "") -> Need:
    """What more answers to this question may take at most, by our estimate; with a `beginning` it is one."""
    prompt_tokens = estimate(conversation, question.pk) + tokens.estimate(beginning)
    return Need(
        prompt_tokens=prompt_tokens,
        max_tokens=conversation.max_tokens,
        room=ModelInfo.find(conversation.model).room_after(prompt_tokens),
        n=1 if beginning else conversation.n,
    )


def estimate(conversation: Conversation, question: UUID | None) -> int:
    """How many tokens there are to read before this question is answered."""
    messages = [*instructions(conversation.system), *said(conversation, question).messages]
    return tokens.estimate_messages(msgspec.to_builtins(messages))


def for_title(question: str, answer: str) -> list[ChatMessage]:
    """Asks for a conversation's title from its first exchange; in one message, which every model takes."""
    instruction = (
        "Give this conversation a title of 2 to 6 words, in the language of the question. "
        "Answer with the title alone: no quotes, no full stop."
    )
    exchange = f"Question: {question[:2000]}\n\nAnswer: {answer[:2000]}"
    return [ChatMessage("user", f"{instruction}\n\n{exchange}")]
