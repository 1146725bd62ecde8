"""The soul: however often a page loses its connection, it shows what a page shows that never did."""

import asyncio

import pytest
from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, until_ended, until_text
from tests.chat.page import Page
from tests.chat.tab import Tab
from webchat.chat.models import Conversation

COUNT = "Count to 150"
COUNTED = ", ".join(map(str, range(1, 151)))
RICH = "Show me a table"


async def fresh(client: AsyncClient, conversation: Conversation) -> Page:
    return Page((await client.get(conversation.get_absolute_url())).content.decode())


@pytest.mark.parametrize("question", [COUNT, RICH])
async def test_a_restless_page_ends_like_an_undisturbed_one(
    alice_async: AsyncClient, brisk: str, question: str
) -> None:
    conversation = await begin(alice_async, question, model=brisk)
    async with Tab(alice_async, conversation) as calm, Tab(alice_async, conversation) as restless:
        for length, says_seen in ((20, True), (100, False), (200, True)):
            await restless.until_shown(length)
            await restless.leave()
            await asyncio.sleep(0.1)
            await restless.connect(says_seen=says_seen)
        await calm.until_ended()
        await restless.until_ended()
        shown = await fresh(alice_async, conversation)
        assert calm.page.picture() == restless.page.picture() == shown.picture()


async def test_at_every_moment_nothing_is_missing_and_nothing_doubled(
    alice_async: AsyncClient, brisk: str
) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    lengths = [0]
    async with Tab(alice_async, conversation) as tab:
        while "complete" not in tab.page.states()[-1]:
            await asyncio.sleep(0.15)
            await tab.leave()
            shown = tab.page.texts()[-1]
            assert COUNTED.startswith(shown)
            lengths.append(len(shown))
            await tab.connect(says_seen=len(lengths) % 2 == 0)
            await tab.until(lambda tab: len(tab.page.texts()[-1]) >= lengths[-1])
        assert tab.page.texts()[-1] == COUNTED
    assert lengths == sorted(lengths) and len(set(lengths)) > 4


@pytest.mark.parametrize("says_seen", [True, False])
async def test_who_comes_back_after_the_end_gets_all_of_it(
    alice_async: AsyncClient, brisk: str, says_seen: bool
) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    async with Tab(alice_async, conversation) as tab:
        await tab.until_shown(30)
        await tab.leave()
        await until_ended(await last_answer(conversation))
        await tab.connect(says_seen=says_seen)
        await tab.until_ended()
        assert tab.page.texts() == [COUNT, COUNTED]
        assert tab.page.picture() == (await fresh(alice_async, conversation)).picture()


async def test_a_page_that_shows_everything_is_sent_nothing(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    await until_ended(await last_answer(conversation))
    async with Tab(alice_async, conversation) as tab:
        await asyncio.sleep(0.3)
        # The title may have come in between.
        assert [frame for frame in tab.frames if "message-" in frame] == []


async def test_what_was_asked_elsewhere_meanwhile_is_there(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    await until_ended(await last_answer(conversation))
    async with Tab(alice_async, conversation) as tab:
        await tab.leave()
        await until_text(await ask(alice_async, conversation, COUNT, model=brisk), 20)
        await tab.connect()
        await tab.until(lambda tab: len(tab.page.messages()) == 4)
        await tab.until_ended()
        assert tab.page.texts() == ["Say this is a test!", "This is a test!", COUNT, COUNTED]


async def test_two_tabs_show_the_same(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    async with Tab(alice_async, conversation) as one, Tab(alice_async, conversation) as other:
        await one.until_ended()
        await ask(alice_async, conversation, COUNT, model=brisk)
        for tab in (one, other):
            await tab.until(lambda tab: len(tab.page.messages()) == 4)
            await tab.until_ended()
        assert one.page.picture() == other.page.picture()
