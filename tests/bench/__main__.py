"""What does `bin/bench` do? It makes a portal of its own, plays the scenarios, and tells what it measured."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from tests import services
from tests.bench import crowds, history, idle, ledger, machine, profiling, report
from tests.bench.portal import SERVERS, Portal, Upstream
from tests.bench.progress import Progress
from tests.bench.scenarios import SCENARIOS, WARM_UP, Results, Round, crowd
from tests.bench.stage import Stage
from webchat.environment import BASE_DIR, VAR_DIR

ALL = [*SCENARIOS, "E", "idle", "H", "L"]
STARTS = 3
# Each round takes one of each person's conversations: five scenarios with rounds, and the crowds of E.
CONVERSATIONS_FOR_CROWDS = 24


def main() -> int:
    options = parse_arguments()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench = Bench(options)
    # Ctrl-C: what was measured until then is told.
    with suppress(KeyboardInterrupt):
        uvloop.run(bench.run())
    text = report.write(bench.results)
    kept = keep(bench.results, text)
    print(f"{text}\n\nKept in {kept.relative_to(BASE_DIR)}.json and .md")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {' '.join(ALL)} (default: all)")
    parser.add_argument("--server", choices=SERVERS, default="daphne")
    parser.add_argument("--rounds", type=int, default=3, help="of each scenario; medians count (default: 3)")
    parser.add_argument("--postgresql", action="store_true", help="on a cluster of its own instead of SQLite")
    parser.add_argument("--profile", type=int, metavar="SECONDS", help="one more round each, with py-spy")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(ALL):
        parser.error(f"there is no scenario {' '.join(sorted(unknown))}")
    options.scenarios = options.scenarios or ALL
    return options


class Bench:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._progress = Progress()
        self.results = Results(
            server=options.server,
            database="PostgreSQL" if options.postgresql else "SQLite",
            when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            commit=commit(),
            load_before=os.getloadavg()[0],
            cores_before=machine.cores_busy(),
        )

    async def run(self) -> None:
        with ExitStack() as ending:
            ending.callback(self._progress.clear)
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="webchat-bench-")))
            database = ending.enter_context(services.postgresql()) if self._options.postgresql else ""
            upstream = Upstream()
            ending.callback(upstream.end)
            portal = Portal(folder, upstream.url, self._options.server, database)
            ending.callback(portal.end)
            await self._play_all(portal, upstream)

    async def _play_all(self, portal: Portal, upstream: Upstream) -> None:
        wanted = self._options.scenarios
        self._progress.step("making people and conversations")
        most = crowds.LAST if {"E", "idle"} & set(wanted) else max(one.people for one in SCENARIOS.values())
        conversations = 5 * (self._options.rounds + 2) + CONVERSATIONS_FOR_CROWDS
        team = portal.prepare_team(most, conversations)
        self._stage = Stage(portal, upstream, team, self._progress)
        for number in range(STARTS):
            self._progress.step(f"start {number + 1} of {STARTS}")
            self.results.starts.append(portal.start_and_time())
            self.results.resident_after_start.append(portal.resident_mib)
            portal.end()
        for letter in wanted:
            portal.start()
            try:
                await self._play(letter)
            except BaseException:
                self._progress.say(portal.last_words())
                raise
            finally:
                portal.end()

    async def _play(self, letter: str) -> None:
        """Each with a fresh process, so that memory is its own."""
        self._progress.step(f"{letter}: opening")
        if letter == "idle":
            self.results.idle = await idle.measure(self._stage, self._progress)
        elif letter == "H":
            self.results.history = await history.measure(self._stage, self._progress)
        elif letter == "L":
            self.results.books = await ledger.measure(self._stage, self._progress)
        elif letter == "E":
            await self._stage.play(WARM_UP)
            await self._play_crowds()
        else:
            await self._stage.play(WARM_UP)
            await self._play_rounds(letter)

    async def _play_rounds(self, letter: str) -> None:
        scenario, rounds = SCENARIOS[letter], self._options.rounds
        self._progress.step(f"{letter}: the floor")
        self.results.floors[letter] = await self._stage.play_floor(scenario)
        for number in range(rounds):
            self._progress.step(f"{letter}: round {number + 1} of {rounds}")
            played = await self._stage.play(scenario)
            self.results.rounds.setdefault(letter, []).append(played)
            self._progress.say(f"{letter}: {in_short(played)}")
        if self._options.profile:
            self._progress.step(f"{letter}: profile")
            await self._profile(letter)

    async def _play_crowds(self) -> None:
        async def play(people: int) -> Round:
            self._progress.step(f"E: {people} people")
            played = await self._stage.play(crowd(people))
            self._progress.say(f"E, {people} people: {in_short(played)}")
            return played

        self.results.most_people, self.results.steps = await crowds.find_most(play)
        if self.results.most_people:
            self._progress.step("E: the floor")
            self.results.floors["E"] = await self._stage.play_floor(crowd(self.results.most_people))

    async def _profile(self, letter: str) -> None:
        raw = folder() / f"profile-{letter}-{self._options.server}.raw"
        recording = profiling.recording(self._stage.portal.pid, self._options.profile, raw)
        await self._stage.play(SCENARIOS[letter], recording)
        self._progress.say(f"{letter}, profile\n\n{profiling.tell(profiling.top(raw.read_text()))}\n")


def in_short(one: Round) -> str:
    return (
        f"failed {one.failed}{f' {one.problems}' if one.problems else ''}, pre p50 {one.pre_p50:.0f} ms,"
        f" POST {one.post_p50:.0f} ms, late p50 {one.late_p50:.0f} p99 {one.late_p99:.0f} ms,"
        f" {one.frames:.0f} frames each, {one.wire:.2f} B/char, CPU {one.cpu:.3f} s per 1,000,"
        f" RSS {one.resident_mib:.0f} MiB; cores: portal {one.shares.portal:.2f}, upstream {one.shares.upstream:.2f},"
        f" driver {one.shares.driver:.2f}, others {one.shares.others:.2f}"
    )


def keep(results: Results, text: str) -> Path:
    """In var/bench, named after the time; returns the path without its suffix."""
    moment = results.when.replace(" ", "-").replace(":", "")
    kept = folder() / f"{moment}-{results.server}-{results.database.lower()}"
    kept.with_suffix(".json").write_text(json.dumps(results.as_json(), indent=1))
    kept.with_suffix(".md").write_text(text + "\n")
    return kept


def folder() -> Path:
    found = VAR_DIR / "bench"
    found.mkdir(parents=True, exist_ok=True)
    return found


def commit() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    answer = subprocess.run(asked, cwd=BASE_DIR, capture_output=True, text=True)
    return answer.stdout.strip() or "an unknown commit"


if __name__ == "__main__":
    sys.exit(main())
