"""What a reader sees of a conversation: its newest messages, and the way to those before."""

import pytest
from django.test import Client

from tests.chat.history import add, tell
from tests.chat.page import Page
from webchat.accounts.models import User
from webchat.chat import thread
from webchat.chat.models import Message

TEXTS = [f"message {number}" for number in range(120)]


def shown(client: Client, url: str, **headers: str) -> Page:
    return Page(client.get(url, headers=headers).content.decode())


def older_url(page: Page) -> str:
    older = page.find("#older")
    return older.get("hx-get", "") if older is not None else ""


def test_the_newest_fifty_stand_on_the_page(as_alice: Client, alice: User) -> None:
    conversation = tell(alice, *TEXTS)
    page = shown(as_alice, conversation.get_absolute_url())
    assert page.texts() == TEXTS[-50:] and older_url(page)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_page_by_page_one_comes_to_the_first(as_alice: Client, alice: User, headers: dict[str, str]) -> None:
    conversation = tell(alice, *TEXTS)
    page = shown(as_alice, conversation.get_absolute_url())
    read, url, pages = page.texts(), older_url(page), 1
    while url:
        page = shown(as_alice, url, **headers)
        assert (page.find("#sidebar") is None) is bool(headers)
        read, url, pages = page.texts() + read, older_url(page), pages + 1
    assert read == TEXTS and pages == 3


def test_a_short_conversation_has_nothing_earlier(as_alice: Client, alice: User) -> None:
    conversation = tell(alice, *TEXTS[:50])
    page = shown(as_alice, conversation.get_absolute_url())
    assert page.texts() == TEXTS[:50] and not older_url(page)


@pytest.mark.parametrize("before", ["", "x", "1" * 5000, "%00"])
def test_before_nothing_known_are_the_newest(as_alice: Client, alice: User, before: str) -> None:
    conversation = tell(alice, *TEXTS)
    page = shown(as_alice, f"{conversation.get_absolute_url()}messages/?before={before}")
    assert page.texts() == TEXTS[-50:]


def test_before_what_is_on_no_shown_branch_is_nothing(as_alice: Client, alice: User) -> None:
    # The branch may have changed meanwhile; the newest once more would stand there twice.
    conversation = tell(alice, *TEXTS)
    unknown = "00000000-0000-0000-0000-000000000000"
    assert shown(as_alice, f"{conversation.get_absolute_url()}messages/?before={unknown}").texts() == []


def test_siblings_are_numbered_in_the_order_in_which_they_came(alice: User) -> None:
    conversation = tell(alice, "Question", "first")
    question = Message.objects.get(text="Question")
    second, third = (add(conversation, question, text) for text in ("second", "third"))
    first = Message.objects.get(text="first")
    expected = [(first, 1, None, second), (second, 2, first, third), (third, 3, second, None)]
    for message, number, before, after in expected:
        conversation.show_branch_of(message)
        one = thread.load(conversation).messages[-1]
        assert (one.pk, one.sibling_number, one.sibling_count) == (message.pk, number, 3)
        assert one.previous_sibling_id == (before and before.pk)
        assert one.next_sibling_id == (after and after.pk)


def test_questions_and_answers_are_numbered_apart(alice: User) -> None:
    conversation = tell(alice, "Question", "Answer")
    add(conversation, None, "Otherwise", role="user")
    question, answer = thread.load(conversation).messages
    assert (question.sibling_count, answer.sibling_count) == (2, 1)


def test_choosing_shows_the_newest_branch_behind_it(alice: User) -> None:
    conversation = tell(alice, "one", "two", "three", "four")
    other = add(conversation, None, "another one", role="user")
    other_answer = add(conversation, other, "another two")
    conversation.show_branch_of(other)
    assert [one.pk for one in thread.load(conversation).messages] == [other.pk, other_answer.pk]
    conversation.show_branch_of(Message.objects.get(text="one"))
    assert [m.text for m in thread.load(conversation).messages] == ["one", "two", "three", "four"]


def test_an_answer_drawn_by_an_older_renderer_is_drawn_anew(as_alice: Client, alice: User) -> None:
    conversation = tell(alice, "Question", "**bold**")
    Message.objects.filter(text="**bold**").update(html="<p>stale</p>", renderer_version=0)
    html = as_alice.get(conversation.get_absolute_url()).content.decode()
    assert "<strong>bold</strong>" in html and "stale" not in html
    assert "<strong>" in Message.objects.get(text="**bold**").html


def test_an_empty_conversation_has_a_page(as_alice: Client, alice: User) -> None:
    page = shown(as_alice, tell(alice).get_absolute_url())
    assert page.texts() == [] and page.find("#composer") is not None
