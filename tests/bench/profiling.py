"""What is the portal doing all the time? py-spy looks at it often, and this counts what it saw."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOKS_A_SECOND = 200
ROWS = 45
# What a thread does that has nothing to do; and what is on nearly every stack only leads down to the work.
WAITING = ("select (", "wait (", "_worker (concurrent", "accept (")
LEADING_SHARE = 0.95


@dataclass
class Seen:
    """In how many looks at a busy thread a function was on top, and in how many anywhere on the stack."""

    looks: int = 0
    idle: int = 0
    own: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)

    def add(self, stack: list[str], looks: int) -> None:
        if any(waiting in stack[-1] for waiting in WAITING):
            self.idle += looks
            return
        self.looks += looks
        self.own[stack[-1]] += looks
        for function in set(stack):
            self.total[function] += looks


@contextmanager
def recording(pid: int, seconds: int, target: Path) -> Iterator[None]:
    """Stacks in py-spy's raw format. It stops the process at each look: what is recorded is not measured."""
    spy = Path(sys.executable).with_name("py-spy")
    # Only who holds the interpreter's lock is at work; the others wait for it.
    options = f"--duration {seconds} --rate {LOOKS_A_SECOND} --format raw --threads --gil".split()
    command = [str(spy), "record", "--pid", str(pid), *options, "--output", str(target)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield


def top(raw: str) -> dict[str, Seen]:
    """For the event loop's thread and for all the others together."""
    seen = {"main thread": Seen(), "other threads": Seen()}
    for line in raw.splitlines():
        stack, _blank, looks = line.rpartition(" ")
        thread, *functions = stack.split(";")
        if functions:
            name = "main thread" if "MainThread" in thread else "other threads"
            seen[name].add([_short(function) for function in functions], int(looks))
    return seen


def _short(function: str) -> str:
    """Without the line: `connect (webchat/chat/consumers.py:41)`."""
    return function.rpartition(":")[0] + ")" if function.endswith(")") and ":" in function else function


def tell(seen: dict[str, Seen]) -> str:
    return "\n\n".join(
        f"{name}: busy in {one.looks} looks, waiting in {one.idle}\n\n"
        f"own time\n{_rows(one.own, one.looks)}\n\ntotal\n{_rows(_without_leading(one), one.looks)}"
        for name, one in seen.items()
        if one.looks
    )


def _without_leading(seen: Seen) -> Counter[str]:
    return Counter({name: count for name, count in seen.total.items() if count < LEADING_SHARE * seen.looks})


def _rows(counted: Counter[str], looks: int) -> str:
    return "\n".join(f"{100 * count / looks:5.1f} %  {name}" for name, count in counted.most_common(ROWS))
