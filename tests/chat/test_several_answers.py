"""n answers to one question come at once, side by side, each with its own words."""

from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, send, until_ended, until_text
from tests.chat.tab import Tab
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.models import Message
from webchat.demo.server import DemoServer

MANY = {"n": "3", "temperature": "0.8"}


async def test_three_answers_are_siblings_of_one_call(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "Say this is a test!", **MANY)
    answers = [one async for one in Message.objects.filter(conversation=conversation, role="assistant")]
    answers = [await until_ended(answer) for answer in answers]
    assert [answer.choice for answer in answers] == [0, 1, 2]
    assert len({answer.parent_id for answer in answers}) == len({answer.usage_id for answer in answers}) == 1
    assert len({answer.text for answer in answers}) == 3
    assert all(answer.state == "complete" and "his is a test!" in answer.text for answer in answers)
    assert [request.json["n"] for request in upstream.requests if request.json.get("stream")] == [3]
    assert await UsageRecord.objects.filter(source="chat", outcome="complete").acount() == 1


async def test_the_page_shows_one_and_the_way_to_the_others(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "Say this is a test!", **MANY)
    first = await conversation.messages.aget(choice=0, role="assistant")
    second = await conversation.messages.aget(choice=1)
    await until_ended(second)
    async with Tab(alice_async, conversation) as tab:
        await tab.until_ended()
        assert str(first.pk) in tab.page.messages()[-1].get("id", "")
        await send(alice_async, f"/messages/{second.pk}/choose/")
        await tab.until(lambda tab: str(second.pk) in tab.page.messages()[-1].get("id", ""))
    html = (await alice_async.get(conversation.get_absolute_url())).content.decode()
    assert 'siblings__place">2<' in html and " of </span>3</span>" in html


async def test_stop_ends_them_all(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 200", model=slow, **MANY)
    await until_text(await last_answer(conversation), 5)
    first = await conversation.messages.aget(choice=0, role="assistant")
    await send(alice_async, f"/messages/{first.pk}/stop/")
    async for answer in conversation.messages.filter(role="assistant"):
        ended = await until_ended(answer)
        assert ended.state == "stopped" and ended.text
    assert await UsageRecord.objects.filter(outcome="stopped").acount() == 1


async def test_interleaved_pieces_find_their_answer(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, "Count to 30", model=brisk, **MANY)
    answers = [one async for one in conversation.messages.filter(role="assistant")]
    for answer in [await until_ended(one) for one in answers]:
        assert answer.text.endswith(", ".join(map(str, range(1, 31))))


async def test_a_continuation_is_one_answer(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Count to 100", max_tokens="20", **MANY)
    cut = await until_ended(await last_answer(conversation))
    await send(alice_async, f"/messages/{cut.pk}/continuation/")
    await until_ended(await last_answer(conversation))
    assert await conversation.messages.filter(role="assistant").acount() == 4
