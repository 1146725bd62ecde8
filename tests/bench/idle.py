"""What does somebody cost who only has a page open? Memory, for each of a thousand sockets at rest."""

import asyncio

from tests.bench.progress import Progress
from tests.bench.scenarios import WARM_UP
from tests.bench.stage import Stage

SOCKETS = 1000
A_SECOND = 100
REST_SECONDS = 10


async def measure(stage: Stage, progress: Progress) -> dict[str, float]:
    """A portal that has answered before opens them; how much larger it is when they have rested."""
    await stage.play(WARM_UP)
    first, *others = stage.people(SOCKETS)
    conversation = first.next_conversation()
    await first.open(conversation)
    before = stage.portal.resident_mib
    for number, person in enumerate(others):
        await person.connect(first.socket_path.replace(conversation, person.next_conversation()))
        progress.detail(f"{number + 2} of {SOCKETS} are here")
        await asyncio.sleep(1 / A_SECOND)
    await asyncio.sleep(REST_SECONDS)
    after = stage.portal.resident_mib
    open_now = sum(person.is_connected for person in [first, *others])
    for person in [first, *others]:
        person.close()
    kib = (after - before) * 1024 / len(others)
    return {"sockets": open_now, "wanted": SOCKETS, "before_mib": before, "after_mib": after, "kib_each": kib}
