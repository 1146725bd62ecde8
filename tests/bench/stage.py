"""How is a scenario played? Everybody opens a conversation, asks, watches; then the portal comes to rest."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from tests.bench import machine
from tests.bench.people import Direct, Person, Watch
from tests.bench.portal import Member, Portal, Upstream
from tests.bench.progress import Progress
from tests.bench.scenarios import Round, Scenario
from tests.bench.statistics import median, percentile

OPENING_AT_ONCE = 8
PATIENCE_SECONDS = 30
QUIET_SHARE = 0.05
LOOK_SECONDS = 0.25
Reader = Person | Direct


class Stage:
    """A portal that runs, the upstream behind it, and people who are signed in."""

    def __init__(self, portal: Portal, upstream: Upstream, team: list[Member], progress: Progress) -> None:
        self.portal, self.upstream, self._team, self._progress = portal, upstream, team, progress

    async def play(
        self, scenario: Scenario, meanwhile: AbstractContextManager[object] | None = None
    ) -> Round:
        """Through the portal, from the first question until the portal is quiet again."""
        people = self.people(scenario.people)
        await self.a_few_at_once([partial(one.open, one.next_conversation()) for one in people])
        await self.until_quiet()
        with meanwhile or nullcontext():
            return await self._measure(scenario, people)

    def people(self, count: int) -> list[Person]:
        return [Person(self.portal.url, member, number) for number, member in enumerate(self._team[:count])]

    async def play_floor(self, scenario: Scenario) -> Round:
        """The same by the same driver, without a portal between."""
        readers = [Direct(self.upstream.url) for _ in range(scenario.people)]
        await self.a_few_at_once([reader.open for reader in readers])
        return await self._measure(scenario, readers)

    async def a_few_at_once(self, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
        places = asyncio.Semaphore(OPENING_AT_ONCE)

        async def one(number: int, work: Callable[[], Awaitable[None]]) -> None:
            async with places:
                await work()
            self._progress.detail(f"{number + 1} of {len(works)} are here")

        await asyncio.gather(*(one(number, work) for number, work in enumerate(works)))

    async def _measure(self, scenario: Scenario, readers: Sequence[Reader]) -> Round:
        # A pause to collect garbage here would look like a late frame of the portal's.
        gc.collect()
        gc.disable()
        meter = machine.Meter(self.portal.pid, self.upstream.pid)
        looking = asyncio.create_task(self._look_on(readers, meter))
        try:
            await _ask(scenario, readers)
            shares = meter.shares()
            await self.until_quiet()
        finally:
            looking.cancel()
        cpu_seconds = meter.portal_seconds
        for reader in readers:
            reader.close()
        gc.enable()
        await asyncio.sleep(LOOK_SECONDS)
        return summed_up(scenario, [one.watch for one in readers], cpu_seconds, self._highest_mib, shares)

    async def _look_on(self, readers: Sequence[Reader], meter: machine.Meter) -> None:
        self._highest_mib = 0.0
        while True:
            meter.look()
            self._highest_mib = max(self._highest_mib, self.portal.resident_mib)
            ended = sum(reader.ended.done() for reader in readers)
            self._progress.detail(f"{ended} of {len(readers)} have their answer")
            await asyncio.sleep(LOOK_SECONDS)

    async def until_quiet(self) -> None:
        """Titles are made and rows are saved after an answer has ended; that belongs to its cost."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            before = machine.cpu_seconds(self.portal.pid)
            await asyncio.sleep(LOOK_SECONDS)
            if machine.cpu_seconds(self.portal.pid) - before < QUIET_SHARE * LOOK_SECONDS:
                return


async def _ask(scenario: Scenario, readers: Sequence[Reader]) -> None:
    """Until all have their answers, or have waited for long enough."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(number: int, reader: Reader) -> None:
        await asyncio.sleep(began + number * scenario.spread / len(readers) - loop.time())
        await reader.ask(scenario.model)
        await reader.ended

    tasks = [asyncio.create_task(one(number, reader)) for number, reader in enumerate(readers)]
    patience = scenario.plan.duration + scenario.spread + PATIENCE_SECONDS
    _done, waiting = await asyncio.wait(tasks, timeout=patience)
    for task in waiting:
        task.cancel()
    for reader in readers:
        if not reader.ended.done():
            reader.watch.problem = "no end in time"


def summed_up(
    scenario: Scenario, watches: list[Watch], cpu_seconds: float, mib: float, shares: machine.Shares
) -> Round:
    plan = scenario.plan
    for watch in watches:
        if not watch.problem and len(watch.late) != plan.stamps:
            watch.problem = "text is missing"
    problems = Counter(watch.problem for watch in watches if watch.problem)
    late = sorted(one / 1000 for watch in watches for one in watch.late)
    pre = sorted((one.first_stamp - one.asked_at) / 1000 for one in watches if one.first_stamp)
    whole = [watch for watch in watches if not watch.problem]
    return Round(
        people=scenario.people,
        failed=sum(problems.values()),
        problems=dict(problems),
        late_p50=percentile(late, 50),
        late_p99=percentile(late, 99),
        late_max=percentile(late, 100),
        pre_p50=percentile(pre, 50),
        pre_p99=percentile(pre, 99),
        post_p50=percentile(sorted(one.posted_in / 1000 for one in whole), 50),
        wire=sum(watch.bytes_received for watch in watches) / (plan.characters * len(watches)),
        frames=sum(watch.frames for watch in watches) / len(watches),
        seconds=median([(one.last_at - one.asked_at) / 1e6 for one in whole]),
        cpu=cpu_seconds / (plan.count * len(watches)) * 1000,
        resident_mib=mib,
        shares=shares,
    )
