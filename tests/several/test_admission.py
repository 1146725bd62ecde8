"""Over real HTTP, however many ask at once and however the portal ends: what is granted is what is spent."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.browser.portal import Portal
from tests.services import postgresql, redis
from tests.several.people import post, sign_in
from webchat.demo import DemoServer

ENOUGH_FOR, AT_ONCE = 5, 24
MAX_TOKENS = 2000
# The questions are short; for one answer more it is not enough.
BUDGET = ENOUGH_FOR * MAX_TOKENS + MAX_TOKENS // 2
# Longer than all those who ask at once take to be answered.
LONG = "count to 300"
RUNNING, ENDED = 'data-role="assistant" data-state="streaming"', 'data-role="assistant" data-state="complete"'

SHARE = """
from django.contrib.auth.models import Group
from webchat.accounts.models import User
from webchat.allocation.models import Allocation
people = User.objects.filter(username__in=["alice", "bob"])
for earlier in Allocation.objects.filter(revoked_at=None):
    if earlier.user in people or earlier.group:
        earlier.revoke(actor=None)
group, _is_new = Group.objects.get_or_create(name="Those who share")
group.user_set.set(people)
Allocation.objects.grant(group=group, token_limit=BUDGET)
"""
TELL = """
import json
from webchat.allocation.models import Allocation
shared = Allocation.objects.filter(group__name="Those who share", revoked_at=None).get()
calls = shared.usage.filter(source="chat")
print(json.dumps({
    "reserved": shared.reserved_tokens,
    "spent": shared.spent_tokens,
    "outcomes": sorted(calls.values_list("outcome", flat=True)),
    "took": sorted(call.completion_tokens for call in calls),
}))
"""


@dataclass
class Team:
    """One or two processes of one portal, with Alice and Bob signed in at each."""

    portals: list[Portal]
    clients: list[httpx.AsyncClient]

    def share(self, budget: int) -> None:
        """From now on the two have this budget together, and nothing else."""
        done = self.portals[0].manage("shell", "-v0", "-c", SHARE.replace("BUDGET", str(budget)))
        assert done.returncode == 0, done.stderr

    def tell(self) -> dict[str, Any]:
        told = self.portals[0].manage("shell", "-v0", "-c", TELL)
        assert told.returncode == 0, told.stderr
        found: dict[str, Any] = json.loads(told.stdout)
        return found

    def prove(self) -> None:
        proved = self.portals[0].manage("verify_ledger")
        assert proved.returncode == 0, proved.stderr

    async def ask(self, times: int) -> list[httpx.Response]:
        """At once, each in a conversation of its own, each of the clients in turn."""
        asked = [
            post(
                self.clients[number % len(self.clients)],
                "/conversations/",
                text=f"{LONG}, tab {number}",
                model="gpt-4",
                max_tokens=str(MAX_TOKENS),
            )
            for number in range(times)
        ]
        return await asyncio.gather(*asked)

    async def until_shown(self, paths: list[tuple[httpx.AsyncClient, str]], wanted: str) -> None:
        async with asyncio.timeout(60):
            for client, path in paths:
                while wanted not in (await client.get(path)).text:
                    await asyncio.sleep(0.2)

    async def until_nothing_is_reserved(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while (found := await asyncio.to_thread(self.tell))["reserved"]:
                await asyncio.sleep(0.5)
        return found


@pytest.fixture(scope="module", params=["one process, SQLite", "two processes, PostgreSQL and Redis"])
def portals(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Portal]]:
    folder = tmp_path_factory.mktemp("admission")
    with ExitStack() as services:
        upstream = services.enter_context(DemoServer.in_thread(pace=0.03))
        settings, servers = {}, ["serve"]
        if request.param.startswith("two"):
            settings["DATABASE_URL"] = services.enter_context(postgresql())
            settings["redis_url"] = services.enter_context(redis())
            servers.append("uvicorn")
        portals = [Portal(folder, upstream.url, server=server, **settings) for server in servers]
        for other in portals[1:]:
            other.share(portals[0])
        portals[0].prepare()
        yield portals
        for portal in portals:
            if portal.is_running:
                portal.terminate()


@pytest.fixture
async def team(portals: list[Portal]) -> AsyncIterator[Team]:
    for portal in portals:
        if not portal.is_running:
            portal.start()
    async with AsyncExitStack() as closing:
        clients = [
            await closing.enter_async_context(aclosing(await sign_in(portal, person)))
            for portal in portals
            for person in ("alice", "bob")
        ]
        yield Team(portals, clients)


async def test_with_budget_for_five_of_many_who_ask_at_once_five_are_answered(team: Team) -> None:
    team.share(BUDGET)
    answers = await team.ask(AT_ONCE)
    admitted = [answer for answer in answers if answer.status_code in (200, 303)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(admitted), len(refused)) == (ENOUGH_FOR, AT_ONCE - ENOUGH_FOR)
    assert all("This could take more than you have" in answer.text for answer in refused)
    paths = [
        (team.clients[number % len(team.clients)], answer.headers["location"])
        for number, answer in enumerate(answers)
        if answer in admitted
    ]
    await team.until_shown(paths, ENDED)
    found = await team.until_nothing_is_reserved()
    assert found["outcomes"] == ["complete"] * ENOUGH_FOR
    assert 0 < sum(found["took"]) <= found["spent"] <= BUDGET
    team.prove()
    # What was not spent is there again.
    (one_more,) = await team.ask(1)
    assert one_more.status_code == 303
    await team.until_nothing_is_reserved()


async def test_killed_in_the_middle_nothing_stays_reserved(team: Team) -> None:
    team.share(BUDGET)
    asked = await team.ask(ENOUGH_FOR)
    assert [answer.status_code for answer in asked] == [303] * ENOUGH_FOR
    paths = [
        (team.clients[number % len(team.clients)], answer.headers["location"])
        for number, answer in enumerate(asked)
    ]
    await team.until_shown(paths, RUNNING)
    for portal in team.portals:
        portal.kill()
    found = team.tell()
    assert found["outcomes"] == ["reserved"] * ENOUGH_FOR
    assert found["reserved"] > ENOUGH_FOR * MAX_TOKENS
    team.prove()
    for portal in team.portals:
        await asyncio.to_thread(portal.start)
    found = await team.until_nothing_is_reserved()
    assert found["outcomes"] == ["interrupted"] * ENOUGH_FOR
    assert min(found["took"]) > 0 and found["spent"] < BUDGET
    team.prove()
    assert [answer.status_code for answer in await team.ask(1)] == [303]
