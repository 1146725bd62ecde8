"""A model is asked as it wants to be asked: with its own limits, and with instructions where it takes them."""

from typing import Any

import pytest
from django.test import AsyncClient, Client

from tests.chat.asking import begin, last_answer, send, until_ended
from tests.chat.history import tell
from tests.chat.page import Page
from webchat.accounts.models import User
from webchat.allocation.models import APIToken, ModelInfo, UsageRecord
from webchat.chat import prompt
from webchat.chat.forms import ComposerForm
from webchat.chat.models import Message
from webchat.demo.server import DemoServer

CLAUDE = {"model": "claude-2.1"}
GONE = "The model “gpt-4” is not offered any more. Choose another one."


def settle_on(**facts: Any) -> None:
    ModelInfo.objects.filter(name="claude-2.1").update(**facts)


def said_about(**sent: str) -> dict[str, list[str]]:
    form = ComposerForm({"text": "Hello", **CLAUDE, **sent}, conversation=None)
    return {name: list(errors) for name, errors in form.errors.items()}


@pytest.mark.parametrize(
    ("rule", "sent", "sentence"),
    [
        ({"temperature_high": 0.5}, {"temperature": "0.6"}, "temperature must be between 0 and 0.5."),
        ({"temperature_low": 1}, {"temperature": "0.6"}, "temperature must be 1."),
        ({"max_tokens": 100}, {"max_tokens": "101"}, "max_tokens must be between 1 and 100."),
        ({"max_n": 2}, {"n": "3"}, "n must be between 1 and 2."),
    ],
)
def test_its_own_limits_are_said_before_it_is_asked(
    db: None, rule: dict[str, float], sent: dict[str, str], sentence: str
) -> None:
    assert said_about(**sent) == {}
    settle_on(**rule)
    assert said_about(**sent) == {next(iter(sent)): [f"For the model “claude-2.1” {sentence}"]}
    assert said_about(**sent, model="gpt-4") == {}


def test_below_which_temperature_there_is_one_answer_only_is_its_own(db: None) -> None:
    two_at = {"n": "2", "temperature": "0.2"}
    assert "below 0.3" in said_about(**two_at)["n"][0]
    settle_on(one_answer_below=0)
    assert said_about(**two_at) == {}
    settle_on(one_answer_below=0.6)
    assert "below 0.6" in said_about(n="2", temperature="0.5")["n"][0]


def test_a_temperature_left_open_is_the_only_one_that_it_takes(db: None) -> None:
    def temperature() -> float | None:
        form = ComposerForm({"text": "Hello", **CLAUDE}, conversation=None)
        assert form.is_valid()
        return form.parameters.temperature

    assert temperature() is None
    settle_on(temperature_low=0.7, temperature_high=0.7)
    assert temperature() == 0.7


def test_its_context_is_what_an_admin_says(db: None) -> None:
    settle_on(context_length=100)
    assert "at most 100" in said_about(text="word " * 200)["text"][0]
    form = ComposerForm({"text": "Hello", **CLAUDE}, conversation=None)
    assert form.is_valid() and form.need.room < 100
    settle_on(context_length=10_000, max_tokens=300)
    form = ComposerForm({"text": "Hello", **CLAUDE}, conversation=None)
    assert form.is_valid() and form.need.room == 300


def test_people_choose_by_label_and_do_not_see_what_is_not_offered(as_alice: Client, token: APIToken) -> None:
    settle_on(label="Claude, slow but wise")
    ModelInfo.objects.filter(name="gpt-4").update(is_enabled=False)
    page = Page(as_alice.get("/conversations/").content.decode())
    offered = {option.get("value"): option.text for option in page.root.iter("option")}
    assert offered["claude-2.1"] == "Claude, slow but wise" and "gpt-4" not in offered and len(offered) == 11
    response = as_alice.post("/conversations/", {"text": "Hello", "model": "gpt-4"})
    assert response.status_code == 422 and "There is no model “gpt-4” here." in response.content.decode()


async def test_a_conversation_with_a_model_that_is_not_offered_any_more_says_so(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "Hello")
    answer = await until_ended(await last_answer(conversation))
    before = await UsageRecord.objects.filter(source="chat").acount()
    await ModelInfo.objects.filter(name="gpt-4").aupdate(is_enabled=False)
    asked = await send(alice_async, f"{conversation.get_absolute_url()}messages/", text="More")
    again = await send(alice_async, f"/messages/{answer.pk}/answers/", htmx=True)
    for response in (asked, again):
        assert response.status_code == 422 and GONE in response.content.decode()
    assert await UsageRecord.objects.filter(source="chat").acount() == before
    other = await send(alice_async, f"{conversation.get_absolute_url()}messages/", text="More", **CLAUDE)
    assert other.status_code == 303


async def test_who_takes_no_instructions_reads_them_before_the_question(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    for model in ("gpt-4", "bing"):
        conversation = await begin(alice_async, "Hello", model=model, system="Be brief.")
        await until_ended(await last_answer(conversation))
    first, second = (
        [(message["role"], message["content"]) for message in request.json["messages"]]
        for request in upstream.requests
        if request.method == "POST" and request.json["stream"]
    )
    assert first == [("system", "Be brief."), ("user", "Hello")]
    assert second == [("user", "Be brief.\n\nHello")]


def test_so_it_is_when_an_answer_is_gone_on_with(alice: User) -> None:
    conversation = tell(alice, "One", "Two", "Three", "Four", model="bing", system="Be brief.")
    answer = Message.objects.get(pk=conversation.leaf_id)
    answer.model = "bing"
    read = [(message.role, message.content) for message in prompt.to_answer(conversation, answer)]
    assert read[0] == ("user", "Be brief.\n\nOne") and "system" not in dict(read)
    answer.model = "gpt-4"
    assert prompt.to_answer(conversation, answer)[0].role == "system"
