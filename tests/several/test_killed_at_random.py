"""Killed at any moment, the portal loses and doubles nothing that it has acknowledged or shown.

WEBCHAT_KILLS says how often; a few times in every run, a hundred times before a release.
"""

import asyncio
import os
import random
import re
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import aclosing, closing, suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import WebSocketException

from tests.browser.portal import Portal
from tests.chat.page import Page
from tests.several.people import follow, post, sign_in
from webchat.demo import DemoServer

KILLS = int(os.environ.get("WEBCHAT_KILLS", "3"))
WORD = re.compile(r"\b\d+\b")


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with DemoServer.in_thread(pace=0.01) as upstream:
        portal = Portal(tmp_path, upstream.url)
        portal.prepare()
        portal.start()
        yield portal
        portal.terminate()


async def test_nothing_is_lost_or_doubled(portal: Portal) -> None:
    chance = random.Random(20261122)
    for number in range(KILLS):
        async with aclosing(await sign_in(portal)) as client:
            client_id = str(uuid.uuid4())
            text = f"count to 400, round {number}"
            killed = asyncio.create_task(kill_after(portal, chance.uniform(0, 3)))
            acknowledged, shown = await ask_and_watch(portal, client, text, client_id)
            await killed
            await asyncio.to_thread(portal.start)
            questions, kept = stored(portal, client_id)
            assert questions == (1 if acknowledged else questions) <= 1
            seen_a_second_before = [words for moment, words in shown if moment < killed.result() - 1]
            assert kept >= max(seen_a_second_before, default=0)
            # The same request once more: the same message, or now a first one.
            with suppress(httpx.TransportError):
                await post(client, "/conversations/", text=text, model="gpt-4", client_id=client_id)
            assert stored(portal, client_id)[0] == 1
    await until_nothing_streams(portal)


async def kill_after(portal: Portal, seconds: float) -> float:
    await asyncio.sleep(seconds)
    portal.kill()
    return time.monotonic()


async def ask_and_watch(
    portal: Portal, client: httpx.AsyncClient, text: str, client_id: str
) -> tuple[bool, list[tuple[float, int]]]:
    """Whether the question was acknowledged, and when how many words of the answer were shown."""
    shown: list[tuple[float, int]] = []
    try:
        asked = await post(client, "/conversations/", text=text, model="gpt-4", client_id=client_id)
    except httpx.TransportError:
        return False, shown
    path = asked.headers["location"]
    with suppress(WebSocketException, OSError, httpx.TransportError):
        page = Page((await client.get(path)).text)
        async with follow(portal, client, path) as socket:
            async for frame in socket:
                page.apply(str(frame))
                shown.append((time.monotonic(), len(WORD.findall(page.texts()[-1]))))
    return True, shown


def stored(portal: Portal, client_id: str) -> tuple[int, int]:
    """How many questions came of a `client_id`, and how many words of its answer are kept."""
    with closing(sqlite3.connect(portal.database, timeout=20)) as database:
        rows = database.execute(
            "SELECT question.id, answer.text FROM chat_message question"
            " LEFT JOIN chat_message answer ON answer.parent_id = question.id WHERE question.client_id = ?",
            [client_id.replace("-", "")],
        ).fetchall()
    return len({question for question, _text in rows}), sum(
        len(WORD.findall(text or "")) for _q, text in rows
    )


async def until_nothing_streams(portal: Portal) -> None:
    """Every message leaves `streaming`, and its call is settled; nobody looks at a page meanwhile."""
    async with asyncio.timeout(60):
        while True:
            with closing(sqlite3.connect(portal.database, timeout=20)) as database:
                running = "SELECT count(*) FROM chat_message WHERE state IN ('pending', 'streaming')"
                reserved = "SELECT count(*) FROM allocation_usagerecord WHERE outcome = 'reserved' AND source = 'chat'"
                if not any(database.execute(query).fetchone()[0] for query in (running, reserved)):
                    return
            await asyncio.sleep(0.5)
