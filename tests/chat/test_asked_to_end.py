"""A process that was asked to end begins no answer, says so kindly, and goes on with everything else."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.chat.history import tell
from webchat import background
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.chat.models import Conversation, Message


@pytest.fixture
def conversation(alice: User, token: APIToken) -> Iterator[Conversation]:
    conversation = tell(alice, "What is a monad?", "A burrito.")
    background.ending.set()
    yield conversation
    background.ending.clear()


@pytest.mark.parametrize("asks", ["conversation", "message", "edit", "answer", "continuation"])
@pytest.mark.parametrize("htmx", [True, False])
def test_nothing_that_asks_is_begun(
    as_alice: Client, conversation: Conversation, asks: str, htmx: bool
) -> None:
    answer = conversation.leaf
    path = {
        "conversation": "/conversations/",
        "message": f"{conversation.get_absolute_url()}messages/",
        "edit": f"/messages/{answer.parent_id}/edits/",
        "answer": f"/messages/{answer.pk}/answers/",
        "continuation": f"/messages/{answer.pk}/continuation/",
    }[asks]
    headers = {"HX-Request": "true"} if htmx else {}
    response = as_alice.post(path, {"text": "one more", "model": "gpt-4"}, headers=headers)
    assert response.status_code == 503 and int(response["Retry-After"]) > 0
    assert "The portal is just being restarted. What you typed is still here" in response.content.decode()
    assert Message.objects.count() == 2


def test_pages_are_shown_and_other_things_done(as_alice: Client, conversation: Conversation) -> None:
    assert as_alice.get("/conversations/").status_code == 200
    assert as_alice.get(conversation.get_absolute_url()).status_code == 200
    assert as_alice.post(f"/messages/{conversation.leaf_id}/stop/").status_code == 303


def test_who_is_not_signed_in_is_told_that_first(client: Client, conversation: Conversation) -> None:
    response = client.post("/conversations/", {"text": "one more"}, headers={"HX-Request": "true"})
    assert response.status_code == 401


def test_load_balancers_send_nobody_any_more(client: Client, conversation: Conversation) -> None:
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
