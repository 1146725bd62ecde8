"""Shown is stored: what has arrived is in the database within a second."""

import asyncio

from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, until_text
from tests.chat.tab import Tab
from webchat.chat.models import Message
from webchat.demo.server import DemoServer


async def test_what_is_shown_is_kept_a_second_later(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 400", model=slow)
    answer = await last_answer(conversation)
    async with Tab(alice_async, conversation) as tab:
        for _second in range(2):
            await tab.until_shown(len(tab.page.texts()[-1]) + 10)
            shown = tab.page.texts()[-1].rstrip(" ,")
            await asyncio.sleep(1)
            kept = await Message.objects.aget(pk=answer.pk)
            assert kept.state == "streaming" and kept.text.startswith(shown)


async def test_a_sign_of_life_is_kept_with_it(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 400", model=slow)
    begun = await last_answer(conversation)
    kept = await until_text(begun, 1)
    assert kept.heartbeat_at > begun.heartbeat_at


async def test_an_answer_that_was_ended_elsewhere_is_not_written_over(
    alice_async: AsyncClient, slow: str, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "Count to 400", model=slow)
    answer = await until_text(await last_answer(conversation), 10)
    await Message.objects.filter(pk=answer.pk).aupdate(state="interrupted", text="ended elsewhere")
    request = upstream.requests[-1]
    assert await request.ended(3) and request.aborted
    await asyncio.sleep(0.3)
    found = await Message.objects.aget(pk=answer.pk)
    assert (found.state, found.text) == ("interrupted", "ended elsewhere")
