"""A page asks the database the same few questions, however long the list and the conversation are."""

from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.chat.history import add, tell
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, Need
from webchat.allocation.periods import Period
from webchat.chat.models import Parameters


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_a_conversation(as_alice: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Question")
    few = queries(as_alice, conversation.get_absolute_url())
    for number in range(30):
        conversation.leaf = add(conversation, conversation.leaf, f"**{number}**", state="complete")
    conversation.save()
    queries(as_alice, conversation.get_absolute_url())  # draws what has not been drawn yet, once
    assert queries(as_alice, conversation.get_absolute_url()) <= few <= 13


def test_the_sidebar(as_alice: Client, alice: User, token: APIToken) -> None:
    few = queries(as_alice, "/conversations/")
    for number in range(30):
        tell(alice, f"Question {number}")
    assert queries(as_alice, "/conversations/") <= few <= 8


def test_a_question(alice: User, token: APIToken) -> None:
    """Its lock, its place, allocations, their tokens, a price, what is reserved, its record and entry, the messages,
    what is shown; and a savepoint around them here.
    """
    Allocation.objects.update(period_began=Period.MONTH.begins())
    conversation = tell(alice, *(f"Message {number}" for number in range(40)))
    with CaptureQueriesContext(connection) as asked:
        conversation.ask(
            "And now?", client_id=uuid4(), parameters=Parameters(model="gpt-4"), need=Need(40, 60)
        )
    assert len(asked) <= 12
