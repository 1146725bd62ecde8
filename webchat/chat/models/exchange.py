"""What is asked, with what, and what comes of it? Or why is it refused?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from webchat.chat.models.message import Message

if TYPE_CHECKING:
    from webchat.chat.models.conversation import Conversation


class ClientIdReused(Exception):
    """This `client_id` has brought another message already."""


class AnswerStillRunning(Exception):
    """The conversation waits for an answer; the next question comes after it."""


@dataclass(frozen=True)
class Parameters:
    """With what an answer is asked for. None leaves the choice to the upstream."""

    model: str
    system: str = ""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    n: int = 1


@dataclass(frozen=True)
class Exchange:
    """A question and the answers that are to come. `is_new` is False for what had been sent before.

    It `goes_on` when the question is new, too, and follows what had been the last message of the shown branch;
    `model_before` is the conversation's until then.
    """

    conversation: "Conversation"
    question: Message
    answers: list[Message]
    is_new: bool = True
    goes_on: bool = False
    model_before: str = ""
