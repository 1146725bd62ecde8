"""Faults of quantity: what the upstream sends without end is not kept, and many can ask at once."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, offer, until_ended
from tests.conftest import SECRET
from tests.faults.conftest import until_quiet
from tests.faults.rows import ORDINARY, QUESTION
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat.models import Message
from webchat.demo.faults.practice import TEXT
from webchat.demo.server import DemoServer
from webchat.upstream.client import UpstreamClient
from webchat.upstream.pools import close_pools
from webchat.upstream.wire import ChatRequest, Delta, Event, Finished, Queued
from webchat.upstream.wire import Message as ChatMessage

MEGABYTE = 1024 * 1024
MEMORY = Path("/proc/self/statm")
ENDLESS = ["F21-line", "F21-event", "F21-delta", "F21-answer", "F22"]


@pytest.mark.skipif(not MEMORY.exists(), reason="Needs Linux to look at memory.")
@pytest.mark.parametrize("name", ENDLESS)
async def test_f21_f22_what_has_no_end_takes_no_memory(
    alice_async: AsyncClient, token: APIToken, name: str
) -> None:
    await offer(f"fault-{name}")
    with peak_memory() as peak:
        answer = await until_ended(
            await last_answer(await begin(alice_async, QUESTION, model=f"fault-{name}"))
        )
    assert answer.error_code == ("compressed" if name == "F22" else "too_large")
    # The demo, which is in this process, makes 200 MB; the bomb would be 1 GB.
    assert peak[0] < 100 * MEGABYTE


async def test_f31_many_answers_arrive_at_once(alice_async: AsyncClient, token: APIToken) -> None:
    await offer("fault-F31@40ms")
    for number in range(40):
        await begin(alice_async, f"{QUESTION} {number}", model="fault-F31@40ms")
    await until_quiet()
    answers = [one async for one in Message.objects.filter(role="assistant")]
    assert {(one.state, one.text) for one in answers} == {("complete", TEXT)}
    assert await UsageRecord.objects.filter(source="chat", outcome="complete").acount() == 40


async def test_f31_who_must_wait_is_told_so_and_is_answered(upstream: DemoServer) -> None:
    client = UpstreamClient(upstream.url, SECRET, max_parallel=100)
    request = ChatRequest(model="gpt-4@200ms", messages=[ChatMessage("user", QUESTION)])

    async def events() -> list[Event]:
        async with aclosing(client.chat(request)) as arriving:
            return [event async for event in arriving]

    answers = await asyncio.gather(*(events() for _ in range(130)))
    await close_pools()
    assert sum(Queued() in answer for answer in answers) == 30
    for answer in answers:
        assert "".join(event.text for event in answer if isinstance(event, Delta)) == ORDINARY
        assert any(isinstance(event, Finished) for event in answer)


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """By how many bytes this process grew at most, watched from a thread of its own."""
    grown, over = [0], threading.Event()
    before = _resident()

    def watch() -> None:
        while not over.wait(0.005):
            grown[0] = max(grown[0], _resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield grown
    finally:
        over.set()
        watcher.join()


def _resident() -> int:
    return int(MEMORY.read_text().split()[1]) * 4096
