"""What a conversation is called: at first its question, then what the model makes of it, above all a person's wish."""

import asyncio
from typing import Any

import pytest
from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, offer, send, until, until_ended
from tests.chat.tab import Tab
from webchat import background
from webchat.accounts.models import User
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.models import Conversation
from webchat.chat.titles import clean
from webchat.demo.server import DemoServer

QUESTION = "Please tell me how a bicycle stays upright"


async def title_is_settled() -> None:
    await until(UsageRecord.objects.filter(source="title").exclude(outcome="reserved").aexists)
    await asyncio.sleep(0.05)


async def test_at_first_it_is_the_question(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, f"  {QUESTION}, {'very ' * 30}\nmuch?", model=slow)
    assert conversation.title.startswith(QUESTION) and len(conversation.title) == 60
    assert conversation.titled_by == "question"


async def test_the_model_entitles_the_first_exchange(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, QUESTION)
    async with Tab(alice_async, conversation) as tab:
        await until(Conversation.objects.filter(titled_by="model").aexists)
        await conversation.arefresh_from_db()
        assert conversation.title == "Bicycle stays upright"
        await tab.until(
            lambda tab: (
                (heading := tab.page.find("#conversation-title")) is not None
                and heading.text == conversation.title
            )
        )
        link = tab.page.find(f"#conversation-link-{conversation.pk}")
        assert link is not None and conversation.title in "".join(link.itertext())


async def test_it_is_charged_and_settled_as_a_call_of_its_own(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, QUESTION)
    await title_is_settled()
    record = await UsageRecord.objects.aget(source="title")
    assert (record.outcome, record.origin) == ("complete", "reported") and record.total_tokens > 0
    await until_ended(await ask(alice_async, conversation, "And a unicycle?"))
    await asyncio.sleep(0.1)
    assert await UsageRecord.objects.filter(source="title").acount() == 1


async def test_a_title_does_not_disturb_the_order(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, QUESTION)
    later = await begin(alice_async, "Say this is a test!")
    await until(Conversation.objects.filter(pk=conversation.pk, titled_by="model").aexists)
    await conversation.arefresh_from_db()
    assert [one.pk async for one in Conversation.objects.all()] == [later.pk, conversation.pk]


async def test_a_person_has_the_last_word(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 20", model=slow)
    await send(alice_async, f"{conversation.get_absolute_url()}rename/", title="  My   own ")
    await until_ended(await last_answer(conversation))
    await title_is_settled()
    await conversation.arefresh_from_db()
    assert (conversation.title, conversation.titled_by) == ("My own", "person")


@pytest.mark.django_db(transaction=True)
def test_of_a_title_and_a_wish_the_wish_wins(alice: User) -> None:
    conversation = Conversation.objects.create(owner=alice, title="first", model="gpt-4")
    Conversation.objects.get(pk=conversation.pk).rename("wish")
    assert not conversation.entitle("made by a model")
    conversation.refresh_from_db()
    assert conversation.title == "wish"


async def test_without_an_answer_there_is_no_title(alice_async: AsyncClient, token: APIToken) -> None:
    await offer("fault-F01")
    conversation = await begin(alice_async, QUESTION, model="fault-F01")
    assert (await until_ended(await last_answer(conversation))).state == "failed"
    await asyncio.sleep(0.1)
    await conversation.arefresh_from_db()
    assert (conversation.title, conversation.titled_by) == (QUESTION, "question")
    assert not await UsageRecord.objects.filter(source="title").aexists()


@pytest.mark.parametrize("trouble", [{"base_url": "http://127.0.0.1:9"}, {"is_active": False}])
async def test_a_title_that_fails_leaves_the_first(
    alice_async: AsyncClient, slow: str, trouble: dict[str, Any]
) -> None:
    conversation = await begin(alice_async, "Count to 10", model=slow)
    await APIToken.objects.aupdate(**trouble)
    answer = await until_ended(await last_answer(conversation))
    await background.drain(10)
    await conversation.arefresh_from_db()
    assert (answer.state, conversation.title, conversation.titled_by) == (
        "complete",
        "Count to 10",
        "question",
    )
    assert not await UsageRecord.objects.filter(outcome="reserved").aexists()


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"How Bicycles Stay Upright."', "How Bicycles Stay Upright"),
        ("《自行车的平衡》", "自行车的平衡"),
        ("\n\n# Balance\nof bicycles", "Balance"),
        ("**Balance**", "Balance"),
        ("   ", ""),
        ("x" * 81, ""),
        ("“Why?”", "Why?"),
    ],
)
def test_what_models_add_to_a_title_is_taken_off(said: str, title: str) -> None:
    assert clean(said) == title
