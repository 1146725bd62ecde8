"""A page says one thing only, `{"received": 17}`. Anything else is refused, and nothing breaks."""

import asyncio

import pytest
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, send, until_ended
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.chat.models import Conversation

NOT_UNDERSTOOD = "The portal did not understand what this page sent."
BAD_FRAMES = {
    "half an object": "{",
    "a list": "[]",
    "a number": "5",
    "null": "null",
    "a string": '"received"',
    "nothing": "",
    "binary": b'{"received": 1}',
    "no bytes": b"",
    "200k deep": "[" * 30_000 + "]" * 30_000,
    "900 deep": '{"a":' * 900 + "1" + "}" * 900,
    "a number of 5,000 digits": '{"received": ' + "9" * 5000 + "}",
    "too large": '{"received": ' + "9" * 17 + "}",
    "negative": '{"received": -1}',
    "NaN": '{"received": NaN}',
    "infinite": '{"received": 1e309}',
    "a fraction": '{"received": 1.5}',
    "true": '{"received": true}',
    "text is null": '{"text": null}',
    "received is null": '{"received": null}',
    "a lone surrogate": '{"text": "\\ud800"}',
    "another verb": '{"type": "stop", "id": 1}',
    "a NUL": "\x00",
    "a megabyte": '{"received": 1, "more": "' + "x" * 1_000_000 + '"}',
}


async def finished(client: AsyncClient, token: APIToken) -> Conversation:
    conversation = await begin(client, "Say this is a test!")
    await until_ended(await last_answer(conversation))
    return conversation


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
async def test_the_socket_stays_and_says_so(
    alice_async: AsyncClient, alice: User, frame: str | bytes
) -> None:
    conversation = await Conversation.objects.acreate(owner=alice, model="gpt-4", title="Empty")
    async with Tab(alice_async, conversation) as tab:
        await (tab.say(data=frame) if isinstance(frame, bytes) else tab.say(frame))
        await tab.until(lambda tab: any(NOT_UNDERSTOOD in frame for frame in tab.frames))
        await send(alice_async, f"{conversation.get_absolute_url()}rename/", title="Still told")
        await tab.until(lambda tab: "Still told" in tab.frames[-1])
        assert tab.closed_with is None


async def test_it_is_said_once_and_the_twenty_first_ends_it(
    alice_async: AsyncClient, token: APIToken
) -> None:
    async with Tab(alice_async, await finished(alice_async, token), confirms=False) as tab:
        for _number in range(20):
            await tab.say("{")
        await asyncio.sleep(0.3)
        assert tab.closed_with is None
        assert sum(NOT_UNDERSTOOD in frame for frame in tab.frames) == 1
        await tab.say("{")
        await tab.until(lambda tab: tab.closed_with is not None)
        assert tab.closed_with == 4400


async def test_good_frames_may_be_many(alice_async: AsyncClient, token: APIToken) -> None:
    async with Tab(alice_async, await finished(alice_async, token), confirms=False) as tab:
        for number in range(200):
            await tab.say(f'{{"received": {number}}}')
        await asyncio.sleep(0.2)
        assert tab.closed_with is None and not any(NOT_UNDERSTOOD in frame for frame in tab.frames)
