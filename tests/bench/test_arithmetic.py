"""The bench counts right: stamps once, percentiles, what an answer consists of, the search for the most people."""

import math
import re
from dataclasses import replace

import pytest

from tests.bench import crowds, report
from tests.bench.answers import Plan
from tests.bench.machine import Shares
from tests.bench.people import Watch
from tests.bench.profiling import top
from tests.bench.scenarios import Books, Results, Round, Scenario
from tests.bench.stage import summed_up
from tests.bench.statistics import median, percentile

FIRST = 1_700_000_000_000_000
SHARES = Shares(portal=0.5, upstream=0.1, driver=0.1, others=0.0, load=1.0, yardstick=1.5, yardstick_best=1.0)
SHORT = Scenario("A", 1, "bench-3x1ms", 0)


def stamp(number: int) -> bytes:
    return b"t%dz" % (FIRST + number)


def watch_of(*frames: bytes) -> Watch:
    watch = Watch(asked_at=FIRST - 20_000)
    for number, frame in enumerate(frames):
        watch.see(frame, FIRST + 1000 * (number + 1))
    return watch


def test_a_stamp_counts_once_however_often_it_is_sent() -> None:
    watch = watch_of(b"<p>%s one" % stamp(0), b"<p>%s one %s two" % (stamp(0), stamp(500)), b"nothing new")
    assert list(watch.late) == [1000, 1500]
    assert (watch.first_stamp, watch.last_at) == (FIRST, FIRST + 2000)


def test_the_first_of_several_stamps_in_a_frame_tells_when_the_upstream_began() -> None:
    assert watch_of(b"%s and %s" % (stamp(0), stamp(700))).first_stamp == FIRST


def test_other_numbers_are_no_stamps() -> None:
    assert not watch_of(b"t123z", b"at %d" % FIRST, b"t%d" % FIRST).late


def test_percentiles_and_medians() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert (percentile(hundred, 50), percentile(hundred, 99), percentile(hundred, 100)) == (50, 99, 100)
    assert (percentile([7.0], 50), percentile([1.0, 2.0, 3.0], 50)) == (7, 2)
    assert (median([3, 1, 2]), median([4, 1, 2, 3])) == (2, 2.5)
    assert math.isnan(percentile([], 99)) and math.isnan(median([]))


@pytest.mark.parametrize(
    ("model", "chunks", "stamps"), [("bench-200x20ms", 200, 200), ("bench-200x50ms-e4", 200, 50)]
)
def test_a_model_does_what_its_name_says(model: str, chunks: int, stamps: int) -> None:
    plan = Plan.of(model)
    assert (len(plan.chunks), plan.stamps) == (chunks, stamps)


def test_in_markdown_stamps_stand_before_words_and_no_closer_than_asked_for() -> None:
    plan = Plan.of("bench-4000x1ms-md-e5")
    places = [number for number, chunk in enumerate(plan.chunks) if chunk.has_stamp]
    assert all(re.match(r" [^\W\d_]", plan.chunks[place].after) for place in places)
    assert min(after - before for before, after in zip(places, places[1:], strict=False)) >= 5


def test_an_answer_that_lacks_a_chunk_has_failed() -> None:
    whole = watch_of(*map(stamp, range(3)))
    broken = watch_of(*map(stamp, range(2)))
    told = summed_up(SHORT, [whole, broken], cpu_seconds=0.6, mib=100, shares=SHARES)
    assert (told.failed, told.problems) == (1, {"text is missing": 1})
    assert told.pre_p50 == 20
    assert told.cpu == pytest.approx(0.6 / 6 * 1000)


def round_of(people: int, late_p99: float, failed: int = 0) -> Round:
    told = summed_up(SHORT, [watch_of(*map(stamp, range(3)))], cpu_seconds=0.1, mib=100, shares=SHARES)
    return replace(told, people=people, late_p99=late_p99, failed=failed)


@pytest.mark.parametrize("limit", [0, 60, 180, 399, 425, 2000])
async def test_the_search_finds_the_most_people(limit: int) -> None:
    async def play(people: int) -> Round:
        return round_of(people, 100 if people <= limit else 300)

    most, tried = await crowds.find_most(play)
    assert most == min(limit // 25 * 25, crowds.LAST)
    assert len(tried) < 20


async def test_a_crowd_gets_a_second_try() -> None:
    tries: list[int] = []

    async def play(people: int) -> Round:
        tries.append(people)
        return round_of(people, 100, failed=tries.count(people) == 1 or people > 300)

    assert (await crowds.find_most(play))[0] == 300


def test_the_report_says_what_is_reached() -> None:
    results = Results("daphne", "SQLite", "today", "abc", load_before=0, cores_before=0, most_people=425)
    results.floors["B"] = round_of(50, 2)
    results.rounds["B"] = [replace(round_of(50, 9), pre_p50=pre, cpu=0.3) for pre in (90, 130, 140)]
    reached = {target.name: target.is_reached for target in report.targets(results)}
    assert reached["E: people at 20 chunks/s, p99 ≤ 250 ms, none failed"]
    assert not reached["B: CPU per 1,000 chunks"]
    over_floor = next(one for one in report.targets(results) if one.name.startswith("B: send"))
    assert over_floor.row == ("B: send → upstream over the floor, p50", "110.0", "≤ 100.0 ms", "✗")
    assert "| **Webchat** | – | 130 |" in report.write(results)


def test_of_the_books_it_says_what_there_is() -> None:
    results = Results("daphne", "SQLite", "today", "abc", load_before=0, cores_before=0)
    assert "verify_ledger" not in report.write(results)
    took = {"/usage/": (80.0, 160.0), "admission": (3.0, 4.5)}
    results.books = Books(1_000_000, 50, 20, is_proved=True, took=took)
    reached = {target.name: target.is_reached for target in report.targets(results) if target.is_measured}
    assert reached == {"L: /usage/, p95": False, "L: admission, p95": True}
    assert "| admission | 3.0 / 4.5 |" in report.write(results)
    assert "20 s, everything holds" in report.write(results)


def test_a_busy_driver_is_told() -> None:
    results = Results("daphne", "SQLite", "today", "abc", load_before=0, cores_before=0)
    results.rounds["A"] = [replace(round_of(1, 9), shares=replace(SHARES, driver=0.8))]
    assert "driver itself" in report.write(results)


def test_a_profile_counts_what_was_on_top_and_what_was_below_it() -> None:
    raw = (
        'thread (0x1): "MainThread";run (a.py:1);draw (b.py:7) 3\n'
        'thread (0x1): "MainThread";run (a.py:2);draw (b.py:9) 1\n'
        'thread (0x1): "MainThread";run (a.py:2);select (selectors.py:1) 5\n'
        'thread (0x2): "pool_0";save (c.py:1) 2\n'
    )
    seen = top(raw)
    main = seen["main thread"]
    assert (main.looks, main.idle) == (4, 5)
    assert (main.own["draw (b.py)"], main.total["run (a.py)"]) == (4, 4)
    assert seen["other threads"].own["save (c.py)"] == 2
