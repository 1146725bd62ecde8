"""Faults that need a token, a watcher or a test of their own."""

import re

import pytest
from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, send, until_ended
from tests.chat.tab import Tab
from tests.faults.reading import look_at
from tests.faults.rows import ORDINARY, QUESTION
from webchat import background
from webchat.allocation import catalogue
from webchat.allocation.models import APIToken, UsageRecord
from webchat.demo.faults.practice import FAST_CHUNKS, FAST_TEXT, PARTIAL_TEXT, TEXT
from webchat.demo.server import DemoServer
from webchat.upstream.answer import MAX_TEXT


@pytest.fixture(autouse=True)
async def offered(transactional_db: None, token: APIToken) -> None:
    assert await catalogue.refresh_with(token)


async def test_f01_a_refused_token_is_marked_for_the_admins(
    alice_async: AsyncClient, token: APIToken
) -> None:
    await until_ended(await last_answer(await begin(alice_async, QUESTION, model="fault-F01")))
    await background.drain(5)
    await token.arefresh_from_db()
    assert token.last_error == "token_refused" and token.last_error_at
    assert "refused the API token" in token.last_error_sentence


async def test_f04_the_list_of_models_is_fetched_anew(alice_async: AsyncClient, upstream: DemoServer) -> None:
    conversation = await begin(alice_async, QUESTION, model="fault-F04")
    await until_ended(await last_answer(conversation))
    await background.drain(5)
    assert [one.path for one in upstream.requests][-2:] == ["/v1/chat/completions", "/v1/models"]
    page = await alice_async.get(conversation.get_absolute_url())
    assert '<option value="gpt-4"' in page.content.decode()


async def test_f07_the_page_counts_the_wait_down(alice_async: AsyncClient) -> None:
    conversation = await begin(alice_async, QUESTION, model="fault-F07")
    async with Tab(alice_async, conversation) as tab:
        await tab.until_ended()
        assert tab.page.texts()[-1] == ORDINARY
    waits = re.findall(r"too many requests. It is asked again in (\d) s.", "".join(tab.frames))
    assert len(set(waits)) > 1 and waits == sorted(waits, reverse=True)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://nothing.invalid"])
async def test_f09_nobody_is_there(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer, address: str
) -> None:
    await APIToken.objects.filter(pk=token.pk).aupdate(base_url=address)
    conversation = await begin(alice_async, QUESTION)
    answer = await until_ended(await last_answer(conversation))
    assert (answer.state, answer.error_code, answer.text) == ("failed", "unreachable", "")
    assert (answer.usage.outcome, answer.usage.total_tokens) == ("failed", 0)
    shown = await look_at(alice_async, answer)
    assert "can't be reached. Try again in a moment" in shown.sentence
    assert shown.verbs == ["Try again"] and address not in shown.html
    await APIToken.objects.filter(pk=token.pk).aupdate(base_url=upstream.url)
    assert (await until_ended(await ask(alice_async, conversation, QUESTION))).text == ORDINARY


async def test_f21_an_endless_answer_is_kept_up_to_the_limit(alice_async: AsyncClient) -> None:
    conversation = await begin(alice_async, QUESTION, model="fault-F21-answer")
    answer = await until_ended(await last_answer(conversation), 40)
    assert (answer.state, answer.error_code) == ("interrupted", "too_large")
    assert answer.text.startswith(PARTIAL_TEXT + "word word ")
    assert MAX_TEXT - 100_000 < len(answer.text) <= MAX_TEXT
    shown = await look_at(alice_async, answer)
    assert shown.verbs == ["Continue", "Try again"] and len(shown.body) == len(answer.text.rstrip())
    path = f"/conversations/{conversation.pk}/messages/"
    following = await send(alice_async, path, text=QUESTION, model="gpt-3.5-turbo")
    assert following.status_code == 422
    assert "The conversation is too long for this model" in following.content.decode()


async def test_f27_two_answers_that_come_interleaved_are_two(alice_async: AsyncClient) -> None:
    conversation = await begin(alice_async, QUESTION, model="fault-F27-n2", n=2)
    await until_ended(await last_answer(conversation))
    answers = [one async for one in conversation.messages.filter(role="assistant").order_by("choice")]
    assert [one.text for one in answers] == [TEXT, TEXT.upper()]
    assert {one.state for one in answers} == {"complete"}
    assert await UsageRecord.objects.filter(source="chat").acount() == 1


async def test_f30_a_flood_of_chunks_folds_into_few_frames(alice_async: AsyncClient) -> None:
    conversation = await begin(alice_async, QUESTION, model="fault-F30")
    async with Tab(alice_async, conversation) as tab:
        await tab.until_ended()
        assert "".join(tab.page.texts()[-1].split()) == "".join(FAST_TEXT.split())
    assert (await last_answer(conversation)).text == FAST_TEXT
    assert 3 < len(tab.frames) < FAST_CHUNKS / 20
