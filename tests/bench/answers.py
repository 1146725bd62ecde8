"""What does a bench model answer? Its name says it: `bench-<chunks>x<ms>ms[-md][-e<k>]`, always the same text.

A chunk carries a stamp, `t<epoch microseconds>z`, written when it leaves; with `-e<k>` at most every k-th does.
A stamp is one word, so that JSON, Markdown, escaping and highlighting leave it whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

NAME = re.compile(r"bench-(\d+)x(\d+(?:\.\d+)?)ms(-md)?(?:-e(\d+))?")
STAMP = re.compile(rb"t(\d{16})z")
STAMP_LENGTH = 18
WORDS = ["alpha", "beta", "gamma", "delta", "omega", "river", "stone", "cloud", "ember", "maple"]
MARKDOWN = re.findall(
    r" ?\w+|\n+|[^\w\s]+|\s+", Path(__file__).with_name("answer.md").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Chunk:
    """A piece of the answer; its stamp, if it has one, stands between the two parts."""

    before: str
    after: str
    has_stamp: bool

    @property
    def length(self) -> int:
        return len(self.before) + len(self.after) + STAMP_LENGTH * self.has_stamp


@dataclass(frozen=True)
class Plan:
    """What a model of this name answers, and how fast."""

    count: int
    seconds: float
    is_markdown: bool = False
    every: int = 1

    @classmethod
    def of(cls, model: str) -> "Plan":
        match = NAME.fullmatch(model)
        if match is None:
            return cls(20, 0.005)
        count, milliseconds, markdown, every = match.groups()
        return cls(int(count), float(milliseconds) / 1000, bool(markdown), int(every or 1))

    @cached_property
    def chunks(self) -> list[Chunk]:
        return list(_markdown_chunks(self) if self.is_markdown else _word_chunks(self))

    @property
    def duration(self) -> float:
        return self.count * self.seconds

    @property
    def stamps(self) -> int:
        return sum(chunk.has_stamp for chunk in self.chunks)

    @property
    def characters(self) -> int:
        return sum(chunk.length for chunk in self.chunks)


def _word_chunks(plan: Plan) -> Iterator[Chunk]:
    for index in range(plan.count):
        word = WORDS[index % len(WORDS)]
        has_stamp = index % plan.every == 0
        yield Chunk("", f" {word} " if has_stamp else f"{word} ", has_stamp)


def _markdown_chunks(plan: Plan) -> Iterator[Chunk]:
    """Stamps only before words that follow a blank: elsewhere they would change what the Markdown means."""
    since = plan.every
    for index in range(plan.count):
        token = MARKDOWN[index % len(MARKDOWN)]
        since += 1
        has_stamp = since >= plan.every and token[0] == " " and token[1:2].isalpha()
        if has_stamp:
            since = 0
        yield Chunk(" " if has_stamp else "", token, has_stamp)
