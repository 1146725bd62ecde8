"""Bad input gets one clear sentence next to where it was typed, keeps what was typed, and never breaks anything."""

import re
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.chat.history import tell
from tests.chat.page import Page
from webchat.accounts.models import User
from webchat.chat.forms import ComposerForm
from webchat.chat.models import Conversation, Message

MEGABYTE = "word " * 210_000
HUGE = "9" * 5000
BAD_FIELDS = {
    "empty": ("text", {"text": ""}, "Write a message first."),
    "blank": ("text", {"text": " \n\t\r\n\u3000 "}, "Write a message first."),
    "only NUL": ("text", {"text": "\0\0"}, "Write a message first."),
    "not sent at all": ("text", {"text": None}, "Write a message first."),
    "a megabyte": ("text", {"text": MEGABYTE}, "This message has 1050000 characters; at most 200000 can be sent."),
    "too long for the model": ("text", {"text": "word " * 30_000}, "The conversation is too long for this model"),
    "unknown model": ("model", {"model": "gpt-99"}, "There is no model “gpt-99” here. Choose another one."),
    "model of markup": ("model", {"model": "<b>"}, "There is no model “<b>” here."),
    "temperature above": ("temperature", {"temperature": "1.01"}, "temperature must be between 0 and 1."),
    "temperature below": ("temperature", {"temperature": "-0.1"}, "temperature must be between 0 and 1."),
    "temperature NaN": ("temperature", {"temperature": "NaN"}, "Enter a number."),
    "temperature inf": ("temperature", {"temperature": "inf"}, "Enter a number."),
    "temperature 1e309": ("temperature", {"temperature": "1e309"}, "Enter a number."),
    "temperature in words": ("temperature", {"temperature": "warm"}, "Enter a number."),
    "temperature of 5,000 digits": ("temperature", {"temperature": HUGE}, "Enter a number."),
    "top_p zero": ("top_p", {"top_p": "0"}, "top_p must be above 0 and at most 1."),
    "top_p above": ("top_p", {"top_p": "1.5"}, "top_p must be above 0 and at most 1."),
    "max_tokens zero": ("max_tokens", {"max_tokens": "0"}, "max_tokens must be between 1 and 10000000."),
    "max_tokens negative": ("max_tokens", {"max_tokens": "-5"}, "max_tokens must be between 1 and 10000000."),
    "max_tokens a fraction": ("max_tokens", {"max_tokens": "1.5"}, "Enter a whole number."),
    "max_tokens beyond the context": (
        "max_tokens", {"model": "gpt-4", "max_tokens": "8192"}, "max_tokens must be at most 81"
    ),
    "max_tokens of 5,000 digits": ("max_tokens", {"max_tokens": HUGE}, "Enter a whole number."),
    "max_tokens of 4,000 digits": ("max_tokens", {"max_tokens": "9" * 4000}, "max_tokens must be between 1 and"),
    "n zero": ("n", {"n": "0"}, "n must be between 1 and 5."),
    "n six": ("n", {"n": "6", "temperature": "0.9"}, "n must be between 1 and 5."),
    "n near zero": ("n", {"n": "2", "temperature": "0.2"}, "With a temperature below 0.3 there can be only one"),
    "n in words": ("n", {"n": "two"}, "Enter a whole number."),
    "client_id no UUID": ("client_id", {"client_id": "1"}, "This page's form is damaged. Reload the page and"),
    "client_id huge": ("client_id", {"client_id": HUGE}, "This page's form is damaged."),
    "instructions too long": ("system", {"system": "x" * 20_001}, "Ensure this value has at most 20000 characters"),
}  # fmt: skip


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return tell(alice, "Question", "Answer")


def post(client: Client, path: str, htmx: bool, **fields: Any) -> HttpResponse:
    sent = {name: value for name, value in {"text": "My own words", **fields}.items() if value is not None}
    return client.post(path, sent, headers={"HX-Request": "true"} if htmx else {})


def errors(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'class="field__error"[^>]*>([^<]*)<', html)]


@pytest.mark.parametrize(("field", "sent", "sentence"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_it_is_said_in_one_sentence_and_what_was_typed_stays(
    as_alice: Client, conversation: Conversation, field: str, sent: dict[str, Any], sentence: str
) -> None:
    for path, htmx in (("/conversations/", False), (f"{conversation.get_absolute_url()}messages/", True)):
        response = post(as_alice, path, htmx, **sent)
        html = response.content.decode()
        assert response.status_code == 422
        said = errors(html)
        assert len(said) == 1 and said[0].startswith(sentence)
        typed = (sent.get("text", "My own words") or "").strip()
        assert (Page(html).find("#id_text").text or "").strip() == typed  # type: ignore[union-attr]
        if field not in ("text", "client_id", "model"):
            box = Page(html).find(f"#id_{field}")
            assert box is not None and sent[field] in (box.get("value"), (box.text or "").strip())
            assert box.get("aria-invalid") == "true"
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 2)


def test_the_options_open_where_something_in_them_is_wrong(
    as_alice: Client, conversation: Conversation
) -> None:
    assert '<details class="options" open>' in post(as_alice, "/conversations/", True, n="9").content.decode()
    assert '<details class="options">' in post(as_alice, "/conversations/", True, text="").content.decode()


@pytest.mark.parametrize("text", [b"%ED%A0%80 lone", b"%FF%FE", b"ok%00ok", b"%F0%9F%98", b"%C0%80"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_bytes_that_are_no_text_break_nothing(
    as_alice: Client, conversation: Conversation, text: bytes, kind: str
) -> None:
    for path in ("/conversations/", f"{conversation.get_absolute_url()}messages/"):
        response = as_alice.generic("POST", path, b"text=" + text, content_type=kind)
        # 429: the text was fine, and nothing is allocated
        assert response.status_code in (422, 429)


def test_what_no_database_takes_is_left_out(as_alice: Client, conversation: Conversation) -> None:
    form = ComposerForm({"text": "a\0b\ud800c", "system": "d\0e"}, conversation=conversation)
    assert form.is_valid()
    assert (form.cleaned_data["text"], form.parameters.system) == ("ab?c", "de")


def test_a_damaged_upload_is_refused(as_alice: Client, conversation: Conversation) -> None:
    for body in (
        b"",
        b"--x",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\xed\xa0\x80\r\n--x--',
    ):
        response = as_alice.generic(
            "POST", "/conversations/", body, content_type="multipart/form-data; boundary=x"
        )
        assert response.status_code in (400, 422, 429)


def test_more_than_may_be_sent_at_all_is_refused(as_alice: Client, conversation: Conversation) -> None:
    response = post(as_alice, "/conversations/", False, text="x" * 31_500_000)
    assert 400 <= response.status_code < 500


def test_a_thousand_fields_too_many_are_refused(as_alice: Client, conversation: Conversation) -> None:
    assert post(as_alice, "/conversations/", False, **{f"f{n}": "1" for n in range(1200)}).status_code == 400
