"""Trying again, asking otherwise, going on: siblings, and nothing is ever destroyed."""

import re

from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, send, until_ended, until_text
from tests.chat.page import Page
from tests.chat.tab import Tab
from webchat.allocation.models import APIToken
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer

PLACE = re.compile(r'siblings__place">(\d+)<span aria-hidden="true">/</span>.*?</span>(\d+)</span>')


async def look(client: AsyncClient, conversation: Conversation) -> tuple[list[str], list[tuple[str, ...]]]:
    html = (await client.get(conversation.get_absolute_url())).content.decode()
    return Page(html).texts(), [found.groups() for found in PLACE.finditer(html)]


async def test_an_answer_is_tried_again_beside_the_first(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    first = await until_ended(await last_answer(conversation))
    await send(alice_async, f"/messages/{first.pk}/answers/")
    second = await until_ended(await last_answer(conversation))
    assert second.pk != first.pk and second.parent_id == first.parent_id
    kept = await Message.objects.aget(pk=first.pk)
    assert (kept.state, kept.text) == ("complete", "This is a test!")
    texts, places = await look(alice_async, conversation)
    assert len(texts) == 2 and places == [("2", "2")]


async def test_one_chooses_among_the_answers(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    first = await until_ended(await last_answer(conversation))
    await send(alice_async, f"/messages/{first.pk}/answers/")
    await until_ended(await last_answer(conversation))
    async with Tab(alice_async, conversation) as tab:
        await send(alice_async, f"/messages/{first.pk}/choose/")
        await tab.until(lambda tab: str(first.pk) in tab.page.messages()[-1].get("id", ""))
        assert len(tab.page.messages()) == 2
    assert (await look(alice_async, conversation))[1] == [("1", "2")]


async def test_the_next_question_follows_the_chosen_answer(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "Echo: one")
    first = await until_ended(await last_answer(conversation))
    await send(alice_async, f"/messages/{first.pk}/answers/")
    await until_ended(await last_answer(conversation))
    await send(alice_async, f"/messages/{first.pk}/choose/")
    answer = await until_ended(await ask(alice_async, conversation, "Echo: two"))
    question = await Message.objects.aget(pk=answer.parent_id)
    assert question.parent_id == first.pk
    asked = [request.json["messages"] for request in upstream.requests if request.json.get("stream")][-1]
    assert [message["content"] for message in asked] == ["Echo: one", "one", "Echo: two"]


async def test_a_question_is_asked_in_other_words(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Echo: one")
    await until_ended(await last_answer(conversation))
    await until_ended(await ask(alice_async, conversation, "Echo: two"))
    first = await conversation.messages.afirst()
    response = await send(alice_async, f"/messages/{first.pk}/edits/", text="Echo: three")
    assert response.status_code == 303
    await until_ended(await last_answer(conversation))
    assert await look(alice_async, conversation) == (["Echo: three", "three"], [("2", "2")])
    await send(alice_async, f"/messages/{first.pk}/choose/")
    texts, places = await look(alice_async, conversation)
    assert (texts, places) == (["Echo: one", "one", "Echo: two", "two"], [("1", "2")])


async def test_an_empty_edit_is_refused_in_words(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Echo: one")
    await until_ended(await last_answer(conversation))
    first = await conversation.messages.afirst()
    response = await send(alice_async, f"/messages/{first.pk}/edits/", htmx=True, text=" ")
    assert response.status_code == 422 and "Write a message first." in response.content.decode()
    assert await conversation.messages.acount() == 2


async def test_a_stopped_answer_goes_on_where_it_was(
    alice_async: AsyncClient, slow: str, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "Count to 100", model=slow)
    broken = await until_text(await last_answer(conversation), 10)
    await send(alice_async, f"/messages/{broken.pk}/stop/")
    broken = await until_ended(broken)
    assert (await send(alice_async, f"/messages/{broken.pk}/continuation/")).status_code == 303
    whole = await until_ended(await last_answer(conversation))
    assert whole.pk != broken.pk and whole.parent_id == broken.parent_id
    assert whole.state == "complete" and whole.text.startswith(broken.text) and whole.text.endswith("100")
    assert (await Message.objects.aget(pk=broken.pk)).text == broken.text
    asked = [request.json["messages"] for request in upstream.requests if request.json.get("stream")][-1]
    assert [message["content"] for message in asked][:2] == ["Count to 100", broken.text]


async def test_what_a_continuation_took_is_only_what_was_new(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "Count to 60", model="ERNIE-Bot-4", max_tokens="100")
    cut = await until_ended(await last_answer(conversation))
    assert (cut.state, cut.finish_reason) == ("complete", "length")
    await send(alice_async, f"/messages/{cut.pk}/continuation/")
    whole = await until_ended(await last_answer(conversation))
    assert whole.usage.origin == "estimated"
    assert whole.usage.completion_tokens < cut.usage.completion_tokens


async def test_a_complete_answer_cannot_be_continued(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    answer = await until_ended(await last_answer(conversation))
    response = await send(alice_async, f"/messages/{answer.pk}/continuation/", htmx=True)
    assert response.status_code == 422 and "there is nothing to continue" in response.content.decode()


async def test_nothing_is_tried_again_while_an_answer_arrives(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 300", model=slow)
    answer = await until_text(await last_answer(conversation), 1)
    for verb in ("answers", "edits"):
        pk = answer.parent_id if verb == "edits" else answer.pk
        response = await send(alice_async, f"/messages/{pk}/{verb}/", htmx=True, text="Otherwise")
        assert response.status_code == 422 and "still arriving" in response.content.decode()
    assert await conversation.messages.acount() == 2
