"""Where does a text fall into blocks, and which of them can nothing change that still comes?

CommonMark decides line by line: once another top-level block has begun, the one before it is finished. Three
things look like a new block and may still turn out to be the old one; `count_finished` knows them.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from markdown_it.token import Token

from webchat.chat.markdown.dialect import is_open_fence

_FORMULA = re.compile(r"[ \t>*+\-0-9.)]*+(?:\$\$|\\\[)")


def split(source: str, tops: Sequence[Token]) -> list[str]:
    """The source of each top-level block, with the definitions and empty lines behind it."""
    if not tops:
        return []
    lines = source.split("\n")
    edges = [0, *(first_line(top) for top in tops[1:]), len(lines)]
    chunks = ["\n".join([*lines[start:end], ""]) for start, end in pairwise(edges)]
    return [*chunks[:-1], chunks[-1][:-1]]


def count_finished(chunks: Sequence[str], tops: Sequence[Token]) -> int:
    """How many blocks are finished: those before the last one that has a complete line, or fewer."""
    lines = "".join(chunks).split("\n")[:-1]
    last = sum(first_line(top) < len(lines) for top in tops) - 1
    if last < 1:
        return 0
    if "]:" in chunks[last - 1] and lines[first_line(tops[last]) - 1].strip():
        last -= 1  # a paragraph right behind a link's definition may become its title
    return min(last, _open_formula(lines, tops))


def _open_formula(lines: Sequence[str], tops: Sequence[Token]) -> int:
    """The first block that may begin a formula. Its end can still come, but not behind an empty line."""
    starts = [first_line(top) for top in tops]
    first = len(tops)
    for number in reversed(range(len(lines))):
        if not lines[number].strip(" \t>"):
            break
        if _FORMULA.match(lines[number]):
            block = max(0, bisect_right(starts, number) - 1)
            if tops[block].type not in ("fence", "code_block", "formula_block"):
                first = block
    return first


def is_code(token: Token, source: str) -> bool:
    """Whether the source ends in an open fence whose lines are code as they stand."""
    return is_open_fence(token) and source.split("\n")[first_line(token)].startswith(token.markup)


def first_line(token: Token) -> int:
    return token.map[0] if token.map else 0
