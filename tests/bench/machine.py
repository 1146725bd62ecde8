"""What did it cost, and what else was the machine doing? Figures of processes, from the kernel."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children, to the nanosecond (/proc counts in hundredths)."""
    # <linux/posix-timers.h>: the clock that belongs to the CPU time of a process.
    return sum(time.clock_gettime(~one << 3 | 2) for one in family(pid))


def resident_bytes(pid: int) -> int:
    return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE for one in family(pid))


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [pid, *(one for child in found for one in family(child))]


def busy_seconds() -> float:
    """Of all processors since the start of the machine: everything but idling and waiting for disks."""
    user, nice, system, _idle, _wait, irq, softirq, steal = _processor_ticks()
    return (user + nice + system + irq + softirq + steal) / TICKS


def _processor_ticks() -> list[int]:
    return [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]


def cores_busy() -> float:
    """Of all processes, during one second."""
    before = busy_seconds()
    time.sleep(1)
    return busy_seconds() - before


def yardstick_ms() -> float:
    """CPU time of a piece of work that is always the same.

    Neighbours on the same processor make everything slower, by two thirds at times, and show in no other figure.
    """
    begun = time.thread_time()
    words: dict[int, str] = {}
    for number in range(8000):
        words[number & 1023] = str(number)
    return (time.thread_time() - begun) * 1000


@dataclass(frozen=True)
class Shares:
    """Cores that each used; `others` is what ran beside and has nothing to do with the bench."""

    portal: float
    upstream: float
    driver: float
    others: float
    load: float
    # What the yardstick took meanwhile: on average, and at best.
    yardstick: float
    yardstick_best: float

    @property
    def cores(self) -> tuple[float, float, float, float]:
        return self.portal, self.upstream, self.driver, self.others


class Meter:
    """From its making on: what the portal, the upstream, this process and the others used."""

    def __init__(self, portal: int, upstream: int) -> None:
        self._pids = (portal, upstream)
        self._began_at = time.monotonic()
        self._began = self._read()
        self._yardsticks = [yardstick_ms()]

    def look(self) -> None:
        self._yardsticks.append(yardstick_ms())

    def _read(self) -> list[float]:
        return [*map(cpu_seconds, self._pids), time.process_time(), busy_seconds()]

    @property
    def portal_seconds(self) -> float:
        return cpu_seconds(self._pids[0]) - self._began[0]

    def shares(self) -> Shares:
        seconds = time.monotonic() - self._began_at
        spent = [now - then for now, then in zip(self._read(), self._began, strict=True)]
        portal, upstream, driver, busy = (one / seconds for one in spent)
        others = max(0.0, busy - portal - upstream - driver)
        looks = self._yardsticks
        return Shares(
            portal, upstream, driver, others, os.getloadavg()[0], sum(looks) / len(looks), min(looks)
        )
