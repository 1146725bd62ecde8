"""A slow reader gets fewer, larger frames, and all of the text in the end."""

import asyncio
import json

from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, until_ended
from tests.chat.tab import Tab

COUNT = "Count to 150"
COUNTED = ", ".join(map(str, range(1, 151)))


async def test_who_confirms_slowly_gets_folded_frames(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    async with (
        Tab(alice_async, conversation) as quick,
        Tab(alice_async, conversation, confirms=False) as late,
    ):
        confirmed = 0
        await late.say(json.dumps({"received": confirmed}))
        while "complete" not in late.page.states()[-1]:
            await asyncio.sleep(0.4)
            confirmed = min(confirmed + 1, len(late.frames))
            await late.say(json.dumps({"received": confirmed}))
        await quick.until_ended()
        assert late.page.texts()[-1] == quick.page.texts()[-1] == COUNTED
        assert len(late.frames) < len(quick.frames) / 2


async def test_who_stops_confirming_gets_it_all_the_same(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    async with Tab(alice_async, conversation, confirms=False) as tab:
        await tab.say('{"received": 0}')
        await until_ended(await last_answer(conversation))
        await tab.until(lambda tab: tab.page.texts()[-1] == COUNTED, seconds=8)


async def test_who_never_confirms_gets_it_too(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    async with Tab(alice_async, conversation, confirms=False) as tab:
        await tab.until_ended()
        assert tab.page.texts()[-1] == COUNTED


async def test_many_pieces_fold_into_few_frames(alice_async: AsyncClient, token: object) -> None:
    conversation = await begin(alice_async, "Count to 1000")
    async with Tab(alice_async, conversation) as tab:
        await tab.until_ended()
        assert tab.page.texts()[-1].endswith("999, 1000")
        assert len(tab.frames) < 60
