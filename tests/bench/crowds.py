"""How many people can be served at once? More and more, until the portal is late; then the number between."""

from collections.abc import Awaitable, Callable

from tests.bench.scenarios import Round

LATE_P99_MS = 250
FIRST, STEP, CLOSE_ENOUGH, LAST = 200, 100, 25, 1000

Play = Callable[[int], Awaitable[Round]]


async def find_most(play: Play) -> tuple[int, list[Round]]:
    """The most that were served well, and all that was tried.

    A crowd that was served badly is tried once more: something else may have run on the machine.
    """
    good, bad, tried = 0, LAST + CLOSE_ENOUGH, []
    while bad - good > CLOSE_ENOUGH:
        people = _next(good, bad)
        for _attempt in range(2):
            tried.append(await play(people))
            if is_served_well(tried[-1]):
                good = people
                break
        else:
            bad = people
    return good, tried


def _next(good: int, bad: int) -> int:
    if bad > LAST:
        return min(good + STEP, LAST) if good else FIRST
    return good + max(1, (bad - good) // CLOSE_ENOUGH // 2) * CLOSE_ENOUGH


def is_served_well(one: Round) -> bool:
    return one.failed == 0 and one.late_p99 <= LATE_P99_MS
