"""How can a block go on without being drawn again? What is new is text, and goes to the end of its last element."""

import re
from collections.abc import Sequence
from itertools import takewhile

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from webchat.chat.markdown.loose_ends import tidy_code

# What can make more of a paragraph than its text and what comes.
_SIGNIFICANT = re.compile(r"[*_`\[\]()<>&\\~$|:@\n]")


class Code:
    """An open fence goes on until a line closes it."""

    def __init__(self, markup: str, shown: int) -> None:
        self._closer = re.compile(rf"^ {{0,3}}{markup[0]}{{{len(markup)},}}[ \t]*\n", re.MULTILINE)
        self._shown = shown

    def more(self, source: str, new: str) -> str | None:
        line = source.rfind("\n", 0, self._shown) + 1
        if self._closer.search(source, line):
            return None
        begin, self._shown = self._shown, len(tidy_code(source))
        return source[begin : self._shown]


class Prose:
    """A paragraph goes on as long as nothing comes that could mean something."""

    def __init__(self, source: str, room: int) -> None:
        self._shown = _end(source)
        self._room = room

    def more(self, source: str, new: str) -> str | None:
        self._room -= len(new)
        if self._room < 0 or _SIGNIFICANT.search(new):
            return None
        begin, self._shown = self._shown, _end(source)
        return source[begin : self._shown]


class Plain:
    def more(self, source: str, new: str) -> str:
        return new


def _end(source: str) -> int:
    return len(source.rstrip(MD_TRIM_CHARS))


def last_prose(tokens: Sequence[Token]) -> Token | None:
    """The paragraph at the very end, however deep in lists and quotes."""
    closers = _closers(tokens)
    return tokens[-len(closers) - 1] if closers and closers[-1].type == "paragraph_close" else None


def _closers(tokens: Sequence[Token]) -> list[Token]:
    return list(takewhile(lambda token: token.nesting < 0, reversed(tokens)))


def path_to_end(tokens: Sequence[Token]) -> str:
    return " ".join(f"> {token.tag}:last-child" for token in _closers(tokens) if not token.hidden)


def ends_in_text(prose: Token, source: str) -> bool:
    """Whether text that comes can simply be appended."""
    children = prose.children or []
    if not children or children[-1].type != "text" or "]:" in source:
        return False
    text = children[-1].content
    words = text.split()
    if not words or any(mark in words[-1] for mark in ":@&"):
        return False  # it may become an address, or a character by its name
    if len(children) > 1 and children[-2].type == "link_close" and len(words) == 1 and text == words[0]:
        return False  # it may belong to the address before it
    last = source[: _end(source)][-1]
    # A line that has a letter in it is no list, heading or rule any more.
    line = source[source.rfind("\n") + 1 :]
    return last == text[-1] and not _SIGNIFICANT.match(last) and any(map(str.isalpha, line))
