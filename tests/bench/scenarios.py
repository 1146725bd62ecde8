"""What is played? So many people ask at about the same time, for an answer of such a length and speed."""

from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.answers import Plan
from tests.bench.machine import Shares
from tests.bench.statistics import median


@dataclass(frozen=True)
class Scenario:
    """So many people ask this model, their questions spread over some seconds."""

    letter: str
    people: int
    model: str
    spread: float

    @property
    def plan(self) -> Plan:
        return Plan.of(self.model)


SCENARIOS = {
    "A": Scenario("A", 1, "bench-200x20ms", 0),
    "B": Scenario("B", 50, "bench-200x20ms", 1),
    "C": Scenario("C", 200, "bench-100x50ms", 1),
    "D": Scenario("D", 1, "bench-4000x1ms-md-e5", 0),
}
WARM_UP = Scenario("warm-up", 4, "bench-20x5ms", 0)


def crowd(people: int) -> Scenario:
    """E: more and more people at 20 chunks a second each."""
    return Scenario("E", people, "bench-200x50ms", 4)


@dataclass(frozen=True)
class Round:
    """What one round brought; times in milliseconds, `seconds` and `cpu` (per 1,000 chunks) aside."""

    people: int
    failed: int
    problems: dict[str, int]
    late_p50: float
    late_p99: float
    late_max: float
    pre_p50: float
    pre_p99: float
    post_p50: float
    wire: float
    frames: float
    seconds: float
    cpu: float
    resident_mib: float
    shares: Shares


@dataclass(frozen=True)
class Books:
    """For each page and verb the p50 and the p95, in milliseconds."""

    calls: int
    seconds_to_make: float
    seconds_to_verify: float
    is_proved: bool
    took: dict[str, tuple[float, float]] = field(default_factory=dict)

    def p95(self, name: str) -> float:
        return self.took[name][1] if name in self.took else float("nan")


@dataclass
class Results:
    """All that one run of the bench has found out."""

    server: str
    database: str
    when: str
    commit: str
    # What the machine was doing before: load average, and cores in use.
    load_before: float
    cores_before: float
    floors: dict[str, Round] = field(default_factory=dict)
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    steps: list[Round] = field(default_factory=list)
    most_people: int | None = None
    starts: list[float] = field(default_factory=list)
    resident_after_start: list[float] = field(default_factory=list)
    idle: dict[str, float] = field(default_factory=dict)
    history: dict[str, tuple[float, float]] = field(default_factory=dict)
    books: Books | None = None

    def of(self, letter: str, figure: str) -> float:
        """The median of a scenario's rounds; not a number when it was not played."""
        return median([getattr(one, figure) for one in self.rounds.get(letter, [])])

    def floor(self, letter: str, figure: str) -> float:
        return float(getattr(self.floors[letter], figure)) if letter in self.floors else float("nan")

    @property
    def best_yardstick(self) -> float:
        """Of a processor that has nothing else to do, as far as it was seen."""
        played = [*self.floors.values(), *(one for many in self.rounds.values() for one in many), *self.steps]
        return min((one.shares.yardstick_best for one in played), default=float("nan"))

    def failed(self, letter: str) -> int:
        """Of the worst round."""
        return max((one.failed for one in self.rounds.get(letter, [])), default=0)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
