"""How long do pages and admission take when a million calls are in the books?"""

import subprocess
import time
from typing import Any

from tests.bench.history import times
from tests.bench.people import Person
from tests.bench.portal import Member
from tests.bench.progress import Progress
from tests.bench.scenarios import Books
from tests.bench.stage import Stage
from tests.bench.statistics import percentile

# Whose page, and how often it is asked for.
PAGES = {
    "/usage/": ("person", 40),
    "/conversations/": ("person", 40),
    "/admin/dashboard/": ("admin", 40),
    "/admin/allocation/allocation/": ("admin", 40),
    "/admin/allocation/usagerecord/": ("admin", 10),
}
ADMISSION, SETTLEMENT = "admission", "settlement"


async def measure(stage: Stage, progress: Progress) -> Books:
    progress.step("L: making a million calls")
    made = stage.portal.prepare_ledger()
    took = {}
    for path, (whose, count) in PAGES.items():
        progress.step(f"L: {path}")
        person = Person(stage.portal.url, Member(made[whose], []), 0)
        # What another commit has no page for yet is left out.
        if (await person.get(path)).status == 200:
            took[path] = await times(person, [path] * count)
        person.close()
    progress.step("L: admission")
    taken = stage.portal.time_admission()
    for name, figures in zip((ADMISSION, SETTLEMENT), zip(*taken, strict=True), strict=True):
        took[name] = percentile(sorted(figures), 50), percentile(sorted(figures), 95)
    progress.step("L: verify_ledger")
    proved, seconds = _verify(stage)
    return Books(made["calls"], made["seconds"], seconds, proved.returncode == 0, took)


def _verify(stage: Stage) -> tuple["subprocess.CompletedProcess[Any]", float]:
    began = time.perf_counter()
    proved = stage.portal.manage("verify_ledger")
    return proved, time.perf_counter() - began
