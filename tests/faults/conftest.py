"""Every fault is asked for once, all at the same time; each test looks at what came of one of them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import AsyncClient
from pytest_django.plugin import DjangoDbBlocker

from tests.chat.asking import begin, last_answer, offer, send
from tests.conftest import SECRET
from tests.faults.reading import ShownAnswer, read_answer
from tests.faults.rows import QUESTION, ROWS
from webchat import background
from webchat.accounts.models import User
from webchat.allocation import catalogue
from webchat.allocation.models import Allocation, APIToken, UsageRecord
from webchat.background import in_database
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer
from webchat.upstream.pools import close_pools

# Beyond the longest deadline of tests/settings.py
SECONDS = 20


@dataclass(frozen=True)
class Outcome:
    """What came of one fault, and of the question after it."""

    answer: Message
    page: str
    usage: list[UsageRecord]
    next_answer: Message

    @property
    def shown(self) -> ShownAnswer:
        return read_answer(self.page, self.answer.pk)


@dataclass(frozen=True)
class Run:
    outcomes: dict[str, Outcome]
    titles: list[UsageRecord]
    log: str
    # How often each model was asked for an answer
    calls: Counter[str]
    # What the upstream was sent besides
    cookies: list[str]
    canary_hits: int


@pytest.fixture(scope="session")
def run(django_db_setup: None, django_db_blocker: DjangoDbBlocker, demo_upstream: DemoServer) -> Run:
    """All rows asked for at once, in one event loop: their waits pass together."""
    demo_upstream.clear()
    with django_db_blocker.unblock(), logged() as lines:
        try:
            outcomes = asyncio.run(_run(demo_upstream))
            titles = list(UsageRecord.objects.filter(source="title"))
        finally:
            call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
            connections.close_all()
    chats = [one.json for one in demo_upstream.requests if one.method == "POST"]
    return Run(
        outcomes,
        titles,
        log="\n".join(lines),
        calls=Counter(chat["model"] for chat in chats if chat["stream"]),
        cookies=[one.headers["cookie"] for one in demo_upstream.requests if "cookie" in one.headers],
        canary_hits=demo_upstream.canary_hits,
    )


@contextmanager
def logged() -> Iterator[list[str]]:
    """What the portal logs meanwhile, tracebacks included, as it is before it is redacted."""
    handler, lines = logging.Handler(), []
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.emit = lambda record: lines.append(handler.format(record))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)


async def until_quiet(seconds: float = SECONDS) -> None:
    """Until every answer has ended (one that never does is left as it is) and titles are given."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                if not await in_database(Message.objects.running().exists):
                    break
                await asyncio.sleep(0.05)
    await background.drain(10)


async def _run(upstream: DemoServer) -> dict[str, Outcome]:
    token = await in_database(APIToken.objects.all().add, SECRET, label="Team", base_url=upstream.url)
    await Allocation.objects.acreate()
    client = AsyncClient()
    await client.aforce_login(await in_database(User.objects.create_user, "alice", "alice@example.org"))
    assert await catalogue.refresh_with(token)
    await offer(*(row.model for row in ROWS if "@" in row.model))
    # The one that takes longest first, so that its wait passes while the others are asked.
    asked = {
        row.id: await begin(client, QUESTION, model=row.model)
        for row in sorted(ROWS, key=lambda row: "@" not in row.model)
    }
    await until_quiet()
    ended = {name: await _ended(client, talk) for name, talk in asked.items()}
    for talk in asked.values():
        await send(client, f"{talk.get_absolute_url()}messages/", text=QUESTION, model="gpt-3.5-turbo")
    await until_quiet()
    outcomes = {name: Outcome(*ended[name], await last_answer(talk)) for name, talk in asked.items()}
    await background.drain(5, cancel=True)
    await close_pools()
    return outcomes


async def _ended(client: AsyncClient, conversation: Conversation) -> tuple[Message, str, list[UsageRecord]]:
    page = await client.get(conversation.get_absolute_url())
    usage = UsageRecord.objects.filter(answers__conversation=conversation).distinct()
    return await last_answer(conversation), page.content.decode(), [record async for record in usage]
