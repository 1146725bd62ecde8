"""What the model gets to read costs the same few queries, however long the conversation is."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.chat.history import tell
from webchat.accounts.models import User
from webchat.chat import prompt


def test_a_long_conversation_is_read_at_once(alice: User) -> None:
    conversation = tell(alice, *(f"Message {number}" for number in range(40)))
    with CaptureQueriesContext(connection) as asked:
        assert len(prompt.said(conversation, conversation.leaf_id).messages) == 40
    assert len(asked) <= 2
