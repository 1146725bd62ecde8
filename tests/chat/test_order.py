"""Renaming, pinning, deleting and undoing, with htmx and without; what is not mine is not there."""

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.chat.history import tell
from webchat.accounts.models import User
from webchat.chat.models import Conversation

HTMX = {"HX-Request": "true"}


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return tell(alice, "Question", "Answer", title="Then")


def post(
    client: Client, conversation: Conversation, verb: str, htmx: bool = False, **fields: str
) -> HttpResponse:
    headers = HTMX if htmx else {}
    return client.post(f"{conversation.get_absolute_url()}{verb}/", fields, headers=headers)


def test_a_conversation_is_renamed(as_alice: Client, conversation: Conversation) -> None:
    response = post(as_alice, conversation, "rename", title="  The\n new\0 name ")
    assert (response.status_code, response["Location"]) == (302, conversation.get_absolute_url())
    conversation.refresh_from_db()
    assert (conversation.title, conversation.titled_by) == ("The new name", "person")


def test_with_htmx_the_sidebar_comes_back(as_alice: Client, conversation: Conversation) -> None:
    html = post(as_alice, conversation, "rename", htmx=True, title="Now <b>").content.decode()
    assert 'id="sidebar"' in html and "Now &lt;b&gt;" in html and "<html" not in html


@pytest.mark.parametrize("title", ["", "  ", "\0", "x" * 201, "x" * 1_000_000])
def test_a_title_has_1_to_200_characters(as_alice: Client, conversation: Conversation, title: str) -> None:
    for htmx in (False, True):
        response = post(as_alice, conversation, "rename", htmx=htmx, title=title)
        assert response.status_code == 422
        assert "A title has 1 to 200 characters." in response.content.decode()
    conversation.refresh_from_db()
    assert conversation.title == "Then"


def test_200_characters_are_a_title(as_alice: Client, conversation: Conversation) -> None:
    assert post(as_alice, conversation, "rename", title="字" * 200).status_code == 302


def test_pinning_twice_is_unpinning(as_alice: Client, conversation: Conversation) -> None:
    active_at = conversation.active_at
    assert post(as_alice, conversation, "pin").status_code == 302
    conversation.refresh_from_db()
    assert conversation.is_pinned
    assert "Pinned" not in post(as_alice, conversation, "pin", htmx=True).content.decode()
    conversation.refresh_from_db()
    assert not conversation.is_pinned and conversation.active_at == active_at


def test_deleted_it_is_gone_and_can_be_brought_back(as_alice: Client, conversation: Conversation) -> None:
    url = conversation.get_absolute_url()
    page = as_alice.post(f"{url}delete/", follow=True).content.decode()
    assert "“Then” is deleted." in page and f'action="{url}restore/"' in page
    assert as_alice.get(url).status_code == 404
    for verb in ("messages", "rename", "pin", "delete"):
        assert post(as_alice, conversation, verb, title="x", text="x").status_code == 404
    for message in conversation.messages.all():
        assert as_alice.post(f"/messages/{message.pk}/choose/").status_code == 404
    response = post(as_alice, conversation, "restore")
    assert (response.status_code, response["Location"]) == (302, url)
    assert as_alice.get(url).status_code == 200 and conversation.messages.count() == 2


def test_with_htmx_one_stays_where_one_is(as_alice: Client, alice: User, conversation: Conversation) -> None:
    other = tell(alice, title="Other")
    here = {**HTMX, "HX-Current-URL": f"http://testserver{other.get_absolute_url()}"}
    response = as_alice.post(f"{conversation.get_absolute_url()}delete/", headers=here)
    html = response.content.decode()
    assert "HX-Redirect" not in response and "restore/" in html and "Other" in html
    assert f"conversation-link-{conversation.pk}" not in html


def test_with_htmx_deleting_what_is_open_leads_away(as_alice: Client, conversation: Conversation) -> None:
    here = {**HTMX, "HX-Current-URL": f"http://testserver{conversation.get_absolute_url()}"}
    response = as_alice.post(f"{conversation.get_absolute_url()}delete/", headers=here)
    assert response["HX-Redirect"] == "/conversations/"
    assert "restore/" in as_alice.get("/conversations/").content.decode()


def test_what_was_not_deleted_cannot_be_restored(as_alice: Client, conversation: Conversation) -> None:
    assert post(as_alice, conversation, "restore").status_code == 404


def test_deleted_from_an_address_that_is_none(as_alice: Client, alice: User) -> None:
    conversation = tell(alice, "Question")
    headers = {"HX-Request": "true", "HX-Current-URL": "http://["}
    answer = as_alice.post(f"{conversation.get_absolute_url()}delete/", headers=headers)
    assert answer.status_code == 200 and Conversation.objects.get().deleted_at
