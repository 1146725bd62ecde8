"""Every fault is asked for once, all at the same time; each test looks at what came of one of them."""

import asyncio
import logging
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from tests.chat.asking import ask, begin
from tests.conftest import SECRET
from tests.faults.reading import ShownAnswer, read_answer
from tests.faults.rows import QUESTION, ROWS, Row
from webchat import background
from webchat.accounts.models import User
from webchat.allocation import catalogue
from webchat.allocation.models import Allocation, APIToken, ModelInfo, UsageRecord
from webchat.background import in_database
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer
from webchat.upstream.client import close_pools

# Beyond the longest deadline of tests/settings.py
SECONDS = 20


@dataclass(frozen=True)
class Outcome:
    """What came of one fault, and of the question after it."""

    answer: Message
    shown: ShownAnswer
    calls: list[UsageRecord]
    next_answer: Message


@dataclass(frozen=True)
class Run:
    outcomes: dict[str, Outcome]
    titles: list[UsageRecord]
    log: list[str]


class LogLines(logging.Handler):
    """Every record that the portal would write, with its traceback, and before anything is redacted."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="session")
def run(django_db_setup: None, django_db_blocker: DjangoDbBlocker, demo_upstream: DemoServer) -> Run:
    """All rows asked for at once, in one event loop: their waits pass together."""
    log, root = LogLines(), logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    with django_db_blocker.unblock():
        try:
            outcomes = asyncio.run(_run(demo_upstream))
            return Run(outcomes, list(UsageRecord.objects.filter(source="title")), log.lines)
        finally:
            root.removeHandler(log)
            root.setLevel(level)
            call_command("flush", interactive=False, verbosity=0)
            connections.close_all()


async def offer_faults(token: APIToken) -> None:
    """The upstream's list, and those of its faults that are asked for with a beat of their own."""
    assert await catalogue.refresh_with(token)
    paced = [row.model for row in ROWS if "@" in row.model] + ["fault-F31@5ms"]
    await ModelInfo.objects.abulk_create(
        [ModelInfo(name=name, kind="chat", position=1000, seen_at=timezone.now()) for name in paced]
    )


async def until_quiet(seconds: float = SECONDS) -> None:
    """Every answer has ended, or will never do so; titles are given."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline and await in_database(Message.objects.running().exists):
        await asyncio.sleep(0.05)
    await background.drain(10)


async def _run(upstream: DemoServer) -> dict[str, Outcome]:
    upstream.clear()
    token = await in_database(APIToken.objects.all().add, SECRET, label="Team", base_url=upstream.url)
    await Allocation.objects.acreate(api_token=token)
    client = AsyncClient()
    await client.aforce_login(await in_database(User.objects.create_user, "alice", "alice@example.org"))
    await offer_faults(token)
    # Those that wait longest first, so that their waits pass while the others are asked.
    rows = sorted(ROWS, key=lambda row: "@" not in row.model)
    asked = {row: await begin(client, QUESTION, model=row.model) for row in rows}
    await until_quiet()
    ended = {row: await _outcome(client, conversation) for row, conversation in asked.items()}
    for conversation in asked.values():
        await ask(client, conversation, QUESTION, model="gpt-3.5-turbo")
    await until_quiet()
    outcomes = {
        row.id: Outcome(*ended[row], await conversation.messages.alast()) for row, conversation in asked.items()
    }
    await background.drain(5, cancel=True)
    await close_pools()
    return outcomes


async def _outcome(
    client: AsyncClient, conversation: Conversation
) -> tuple[Message, ShownAnswer, list[UsageRecord]]:
    answer = await conversation.messages.filter(role="assistant").select_related("usage").alast()
    page = await client.get(f"/conversations/{conversation.pk}/")
    calls = [usage async for usage in UsageRecord.objects.filter(answers__conversation=conversation)]
    return answer, read_answer(page.content.decode(), answer.pk), calls


def fault(row: Row) -> str:
    return row.id
