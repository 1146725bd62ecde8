"""What did the bench find? A table to compare with others, and each figure beside what it has to reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.ledger import ADMISSION
from tests.bench.peers import COLUMNS, HISTORY, PEERS
from tests.bench.scenarios import Results, Round
from tests.bench.statistics import median

BUSY_DRIVER = 0.7
NOT_MEASURED = "–"


@dataclass(frozen=True)
class Target:
    """A figure, and the most (or the least) that it may be."""

    name: str
    figure: float
    bound: float
    unit: str = ""
    is_least: bool = False
    digits: int = 0

    @property
    def is_measured(self) -> bool:
        return not math.isnan(self.figure)

    @property
    def is_reached(self) -> bool:
        return self.figure >= self.bound if self.is_least else self.figure <= self.bound

    @property
    def row(self) -> Sequence[str]:
        return self.name, _number(self.figure, self.digits), self._bound, "✓" if self.is_reached else "✗"

    @property
    def _bound(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {_number(self.bound, self.digits)} {self.unit}".rstrip()


def write(results: Results) -> str:
    parts = [
        f"Measured {results.when} at {results.commit}, {results.server}, {results.database}.",
        comparison(results),
        table(
            ("figure", "measured", "target", ""),
            [target.row for target in targets(results) if target.is_measured],
        ),
        rounds(results),
        history(results),
        books(results),
        beside(results),
        *warnings(results),
    ]
    return "\n\n".join(part for part in parts if part)


def comparison(results: Results) -> str:
    rows = [("directly to the upstream (the floor)", *_floor_cells(results))]
    rows += [("**Webchat**", *_own_cells(results))]
    rows += [(peer.name, *peer.cells) for peer in PEERS]
    return table(("", *COLUMNS), rows)


def _own_cells(results: Results) -> Sequence[str]:
    of, number = results.of, _number
    return (
        number(of("A", "pre_p50")),
        number(of("B", "pre_p50")),
        number(of("A", "late_p99"), 1),
        number(of("B", "late_p99"), 1),
        f"{number(of('C', 'late_p99'))}, {results.failed('C')}" if "C" in results.rounds else NOT_MEASURED,
        NOT_MEASURED if results.most_people is None else str(results.most_people),
        " / ".join(number(of(letter, "cpu"), 2) for letter in "ABCD"),
        f"{number(of('A', 'wire'), 2)} / {number(of('D', 'wire'), 2)}",
        number(median(results.starts), 1),
        f"{number(median(results.resident_after_start))} → {number(_most_mib(results))}",
        number(results.idle.get("kib_each", math.nan)),
    )


def _floor_cells(results: Results) -> Sequence[str]:
    floor, number = results.floor, _number
    return (
        number(floor("A", "pre_p50")),
        number(floor("B", "pre_p50")),
        number(floor("A", "late_p99"), 1),
        number(floor("B", "late_p99"), 1),
        f"{number(floor('C', 'late_p99'), 1)}, 0" if "C" in results.floors else NOT_MEASURED,
        NOT_MEASURED,
        NOT_MEASURED,
        f"{number(floor('A', 'wire'), 1)} / {number(floor('D', 'wire'))}",
        *[NOT_MEASURED] * 3,
    )


def targets(results: Results) -> list[Target]:
    def over_floor(letter: str) -> float:
        return results.of(letter, "pre_p50") - results.floor(letter, "pre_p50")

    failed = results.failed("C") if "C" in results.rounds else math.nan
    # Timers are not exact, neither is the network.
    as_fast = results.floor("D", "seconds") * 1.02 + 0.1
    people = math.nan if results.most_people is None else results.most_people
    return [
        Target("E: people at 20 chunks/s, p99 ≤ 250 ms, none failed", people, 400, "", is_least=True),
        Target("C: late p99", results.of("C", "late_p99"), 200, "ms"),
        Target("C: failed, worst round", failed, 0),
        Target("A: send → upstream over the floor", over_floor("A"), 20, "ms", digits=1),
        Target("B: send → upstream over the floor, p50", over_floor("B"), 100, "ms", digits=1),
        Target("B: CPU per 1,000 chunks", results.of("B", "cpu"), 0.25, "s", digits=2),
        Target("C: CPU per 1,000 chunks", results.of("C", "cpu"), 0.20, "s", digits=2),
        Target("D: bytes per character", results.of("D", "wire"), 1.5, "", digits=2),
        Target(
            "D: to the last word, as fast as the upstream", results.of("D", "seconds"), as_fast, "s", digits=2
        ),
        Target("start to the first page", median(results.starts), 2, "s", digits=2),
        Target("RSS after the start", median(results.resident_after_start), 110, "MiB"),
        Target("RSS in C", _most_mib(results), 200, "MiB"),
        Target("L: dashboard, p95", _books(results, "/admin/dashboard/"), 500, "ms"),
        Target("L: /usage/, p95", _books(results, "/usage/"), 150, "ms"),
        Target("L: admission, p95", _books(results, ADMISSION), 10, "ms", digits=1),
        Target("memory per idle socket", results.idle.get("kib_each", math.nan), 50, "KiB", digits=1),
    ]


def _books(results: Results, name: str) -> float:
    return results.books.p95(name) if results.books else math.nan


def rounds(results: Results) -> str:
    """Every one of them, so that nobody has to trust a median."""
    head = (
        "round",
        "people",
        "failed",
        "pre p50 / p99",
        "late p50 / p99 / max",
        "POST p50",
        "frames each",
        "B/char",
        "CPU per 1,000",
        "RSS",
        "last word s",
        "cores: portal, upstream, driver, others",
        "machine's speed",
    )
    played = [(f"{letter} floor", one) for letter, one in results.floors.items()]
    played += [(letter, one) for letter, many in results.rounds.items() for one in many]
    played += [("E", one) for one in results.steps]
    rows = [
        (
            name,
            str(one.people),
            ", ".join([str(one.failed), *(f"{count} × {what}" for what, count in one.problems.items())]),
            f"{_number(one.pre_p50)} / {_number(one.pre_p99)}",
            f"{_number(one.late_p50, 1)} / {_number(one.late_p99, 1)} / {_number(one.late_max)}",
            _number(one.post_p50),
            _number(one.frames),
            _number(one.wire, 2),
            _number(one.cpu, 3),
            _number(one.resident_mib),
            _number(one.seconds, 2),
            ", ".join(_number(share, 2) for share in one.shares.cores),
            f"{_number(100 * results.best_yardstick / one.shares.yardstick)} %",
        )
        for name, one in sorted(played, key=lambda pair: pair[0][0])
    ]
    return table(head, rows) if rows else ""


def history(results: Results) -> str:
    if not results.history:
        return ""
    found = {name: f"{_number(p50, 1)} / {_number(p95, 1)}" for name, (p50, p95) in results.history.items()}
    rows = [(name, found.get(name, "not there yet"), theirs) for name, theirs in HISTORY.items()]
    return table(("H: p50 / p95 ms", "Webchat", "Open WebUI 0.12.4"), rows)


def books(results: Results) -> str:
    """What a million calls make slow."""
    if not (found := results.books):
        return ""
    rows = [(name, f"{_number(p50, 1)} / {_number(p95, 1)}") for name, (p50, p95) in found.took.items()]
    verdict = "everything holds" if found.is_proved else "**something is wrong**"
    rows += [
        (f"making {found.calls:,} calls", f"{found.seconds_to_make:.0f} s"),
        ("`verify_ledger`", f"{found.seconds_to_verify:.0f} s, {verdict}"),
    ]
    return table(("L: p50 / p95 ms", "Webchat"), rows)


def beside(results: Results) -> str:
    """What else the machine was doing."""
    before = (
        f"Before it began, {_number(results.cores_before, 2)} cores were in use and the load average was"
        f" {_number(results.load_before, 1)}."
    )
    shares = [one.shares for one in _played(results)]
    if not shares:
        return before
    others, load = max(one.others for one in shares), max(one.load for one in shares)
    usual = median([one.others for one in shares])
    slow = sum(one.yardstick for one in shares) / len(shares)
    return (
        f"{before} Beside it other processes used {_number(usual, 2)} cores (median of the rounds;"
        f" {_number(others, 2)} in the worst), and the load average rose to {_number(load, 1)}. A piece of work that is"
        f" always the same went at {_number(100 * results.best_yardstick / slow)} % of the best speed seen (mean of the"
        " rounds): that is what neighbours took whom no figure shows, and CPU and lateness are worse by it."
    )


def warnings(results: Results) -> list[str]:
    played = _played(results)
    found = []
    if results.idle and results.idle["sockets"] < results.idle["wanted"]:
        stayed, wanted = _number(results.idle["sockets"]), _number(results.idle["wanted"])
        found.append(f"**Only {stayed} of {wanted} idle sockets stayed open.**")
    if any(one.shares.driver > BUSY_DRIVER for one in played):
        found.append(
            "**The driver itself was busy for more than 70 % of a core: these figures are too bad.**"
        )
    if any(one.shares.others > 0.3 for one in played):
        found.append(
            "**Other processes took more than 0.3 cores in some rounds: measure again on a quiet machine.**"
        )
    return found


def _played(results: Results) -> list[Round]:
    return [one for many in results.rounds.values() for one in many] + results.steps


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _most_mib(results: Results) -> float:
    return max((one.resident_mib for one in results.rounds.get("C", [])), default=math.nan)


def _number(figure: float, digits: int = 0) -> str:
    return NOT_MEASURED if math.isnan(figure) else f"{figure:,.{digits}f}"
