"""How long does a page take for somebody with 5,000 conversations behind them?"""

import asyncio
import time

from tests.bench.people import Person
from tests.bench.portal import Member
from tests.bench.progress import Progress
from tests.bench.stage import Stage
from tests.bench.statistics import percentile

TIMES = 40
PAGES = 100


async def measure(stage: Stage, progress: Progress) -> dict[str, tuple[float, float]]:
    """For each page the p50 and the p95, in milliseconds."""
    made = stage.portal.prepare_history()
    person = Person(stage.portal.url, Member(made["session"], []), 0)
    paths = {
        "list, a page of 40": [f"/sidebar/?page={1 + number * PAGES // TIMES}" for number in range(TIMES)],
        "open a conversation of 20": [f"/conversations/{made['usual']}/"] * TIMES,
        "open one of 2,000": [f"/conversations/{made['long']}/"] * TIMES,
    }
    found = {}
    for name, asked in paths.items():
        progress.step(f"H: {name}")
        found[name] = await times(person, asked)
    person.close()
    return found


async def times(person: Person, paths: list[str]) -> tuple[float, float]:
    await person.get(paths[0])
    times = []
    for path in paths:
        began = time.perf_counter()
        reply = await person.get(path)
        times.append((time.perf_counter() - began) * 1000)
        assert reply.status == 200, f"{path}: {reply.status}"
        await asyncio.sleep(0.02)
    return percentile(sorted(times), 50), percentile(sorted(times), 95)
