"""Exactly one: whatever is sent twice is one message, one call, one charge."""

import asyncio
import uuid
from typing import Any

import pytest
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, send, until_ended
from webchat.accounts.models import User
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer

REUSED = "This was sent already, in other words."
# Long enough for no title to be asked for while it is looked at
QUESTION = "Say this is a test!"


async def calls(upstream: DemoServer) -> int:
    """How often an answer was asked for; titles do not count."""
    return len([request for request in upstream.requests if request.json and request.json.get("stream")])


async def everything_is_there_once(upstream: DemoServer) -> None:
    answer = await until_ended(await Message.objects.aget(role="assistant"))
    assert answer.text == "This is a test!"
    assert await Message.objects.filter(role="user").acount() == 1
    assert await UsageRecord.objects.filter(source="chat").acount() == 1
    assert await calls(upstream) == 1


async def test_a_question_sent_twice(alice_async: AsyncClient, token: APIToken, upstream: DemoServer) -> None:
    conversation = await Conversation.objects.acreate(owner=await User.objects.aget(), model="gpt-4")
    sent = {"text": QUESTION, "client_id": str(uuid.uuid4())}
    path = f"{conversation.get_absolute_url()}messages/"
    assert [(await send(alice_async, path, **sent)).status_code for _ in range(3)] == [303] * 3
    await everything_is_there_once(upstream)
    assert (await send(alice_async, path, **sent)).status_code == 303
    await everything_is_there_once(upstream)


async def test_a_double_click(alice_async: AsyncClient, token: APIToken, upstream: DemoServer) -> None:
    conversation = await Conversation.objects.acreate(owner=await User.objects.aget(), model="gpt-4")
    sent = {"text": QUESTION, "client_id": str(uuid.uuid4())}
    path = f"{conversation.get_absolute_url()}messages/"
    responses = await asyncio.gather(*(send(alice_async, path, **sent) for _ in range(6)))
    assert {response.status_code for response in responses} == {303}
    await everything_is_there_once(upstream)


async def test_a_double_click_on_the_first_question(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    sent = {"text": QUESTION, "client_id": str(uuid.uuid4())}
    responses = await asyncio.gather(*(send(alice_async, "/conversations/", **sent) for _ in range(6)))
    assert {response.status_code for response in responses} == {303}
    assert len({response["Location"] for response in responses}) == 1
    assert await Conversation.objects.acount() == 1
    await everything_is_there_once(upstream)


async def test_the_first_question_once_more_later(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    sent = {"text": QUESTION, "client_id": str(uuid.uuid4())}
    conversation = await begin(alice_async, **sent)
    await until_ended(await last_answer(conversation))
    response = await send(alice_async, "/conversations/", **sent)
    assert response["Location"] == conversation.get_absolute_url()
    await everything_is_there_once(upstream)


@pytest.mark.parametrize("path", ["/conversations/", "{conversation}messages/"])
async def test_the_same_id_with_other_words_is_an_error(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer, path: str
) -> None:
    sent: dict[str, Any] = {"text": QUESTION, "client_id": str(uuid.uuid4())}
    conversation = await begin(alice_async, **sent)
    await until_ended(await last_answer(conversation))
    url = path.format(conversation=conversation.get_absolute_url())
    response = await send(alice_async, url, **sent | {"text": "Something else"})
    html = response.content.decode()
    assert response.status_code == 422 and REUSED in html and "Something else</textarea>" in html
    await everything_is_there_once(upstream)


async def test_another_person_may_have_the_same_id(
    alice_async: AsyncClient, bob: User, token: APIToken
) -> None:
    client_id = str(uuid.uuid4())
    bobs = AsyncClient()
    await bobs.aforce_login(bob)
    one = await begin(alice_async, QUESTION, client_id=client_id)
    other = await begin(bobs, QUESTION, client_id=client_id)
    assert one.pk != other.pk
    for conversation in (one, other):
        await until_ended(await last_answer(conversation))


@pytest.mark.parametrize("verb", ["answers", "continuation"])
async def test_another_answer_asked_for_twice(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer, verb: str
) -> None:
    conversation = await begin(alice_async, "Count to 100", max_tokens="20")
    answer = await until_ended(await last_answer(conversation))
    sent = {"client_id": str(uuid.uuid4())}
    path = f"/messages/{answer.pk}/{verb}/"
    responses = await asyncio.gather(*(send(alice_async, path, **sent) for _ in range(4)))
    await until_ended(await last_answer(conversation))
    assert {response.status_code for response in responses} == {303}
    assert (await send(alice_async, path, **sent)).status_code == 303
    assert await conversation.messages.filter(role="assistant").acount() == 2
    assert await calls(upstream) == 2
