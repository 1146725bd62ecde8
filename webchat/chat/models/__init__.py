"""What did we say? Conversations and the messages in them."""

from webchat.chat.models.conversation import Conversation
from webchat.chat.models.exchange import AnswerStillRunning, ClientIdReused, Exchange, Parameters
from webchat.chat.models.message import Message

__all__ = ["AnswerStillRunning", "ClientIdReused", "Conversation", "Exchange", "Message", "Parameters"]
