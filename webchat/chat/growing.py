"""How does a text look while it is still arriving? As top-level blocks: all but the last are finished.

The blocks are a function of the text alone, however it was cut. Text is drawn only when somebody asks, once
for everybody; a paragraph or a code block that just goes on is not drawn again at all.

Not as in `markdown.render`, whose HTML replaces the whole at the end: footnotes, links defined after their use,
colours in a code block that is still open, and a last half line that could still become something else.
A block may lose its text again (a `$$` closes, and three blocks are one formula): it stays then, empty.
"""

import re
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from django.utils.safestring import SafeString, mark_safe
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.token import Token

from webchat.chat import boundaries, markdown
from webchat.chat.dialect import MAX_INLINE
from webchat.chat.loose_ends import tidy, tidy_code

# What can make more of a paragraph than its text and what comes.
_SIGNIFICANT = re.compile(r"[*_`\[\]()<>&\\~$|:@\n]")


@dataclass(frozen=True)
class Change:
    """What a reader does next: append a block, replace one, or extend it at the end of its `target`.

    `target` is a CSS selector to put behind the one of the block's wrapper: `#answer-1-b4 > p:last-child`.
    """

    block: int
    action: Literal["append", "replace", "extend"]
    html: SafeString
    target: str = ""


class GrowingMarkdown:
    def __init__(self) -> None:
        self.revision = 0  # the length of the text
        self.seconds_to_draw = 0.0  # the last time, for whoever wants to ask less often when it is slow
        self._arrived: list[str] = []
        self._text = ""
        self._taken = 0  # of the text, into its normal form
        self._blocks: list[_Block] = []
        self._drawn = {0}  # revisions that readers may have
        # The source behind the finished blocks, and what those have defined.
        self._open = ""
        self._finished = 0
        self._references: dict[str, Any] = {}
        # How the last block goes on without being drawn again.
        self._growth: _Code | _Prose | _Plain | None = None
        # Limits count from the beginning of the text, so that it does not matter when they are looked at.
        self._lines = self._depth = self._size = 0

    @property
    def text(self) -> str:
        if self._arrived:
            self._text += "".join(self._arrived)
            self._arrived.clear()
        return self._text

    def append(self, delta: str) -> None:
        self._arrived.append(delta)
        self.revision += len(delta)

    def changes_since(self, revision: int) -> list[Change]:
        """From what a reader has, to what there is now."""
        self._draw()
        if revision not in self._drawn:
            return self._differences(self.text[:revision])
        changes = (block.change_since(number, revision) for number, block in enumerate(self._blocks))
        return [change for change in changes if change]

    def _differences(self, text: str) -> list[Change]:
        # Nobody was served this text here: the reader comes from elsewhere.
        theirs = GrowingMarkdown()
        theirs.append(text)
        known = [change.html for change in theirs.changes_since(0)]
        return [
            Change(number, "replace" if number < len(known) else "append", block.html)
            for number, block in enumerate(self._blocks)
            if number >= len(known) or block.html != known[number]
        ]

    def _draw(self) -> None:
        if self.revision in self._drawn:
            return
        begun = time.perf_counter()
        new = self._take()
        more = self._growth.more(self._open, new) if self._growth else None
        if self._is_too_much() and not isinstance(self._growth, _Plain):
            self._show_plainly()
        elif more is not None:
            self._last.grow(markdown.escape_text(more), self.revision)
        else:
            self._redraw()
        self._drawn.add(self.revision)
        self.seconds_to_draw = time.perf_counter() - begun

    def _take(self) -> str:
        """Move what is new to the open source, in its normal form."""
        raw = self.text[self._taken :]
        if raw.endswith("\r"):
            raw = raw[:-1]  # perhaps half of a line end
        self._taken += len(raw)
        new = markdown.normalise(raw)
        line = self._open.rfind("\n") + 1
        self._open += new
        self._lines += new.count("\n")
        self._depth = max(self._depth, markdown.quote_depth(self._open[line:]))
        return new

    def _is_too_much(self) -> bool:
        is_long = self.revision > markdown.MAX_CHARACTERS or self._size > markdown.MAX_HTML
        return is_long or markdown.is_too_nested(self._lines, self._depth)

    def _redraw(self) -> None:
        self._growth = None
        shown = tidy(self._open)
        tops = markdown.outline(shown)
        if tops and boundaries.is_code(tops[-1], shown):
            shown = tidy_code(self._open)
        is_whole = shown == self._open
        chunks = boundaries.split(shown, tops)
        finished = boundaries.count_finished(chunks, tops, self._open.count("\n"))
        tokens = self._show(chunks, finished)
        self._finish(chunks[:finished])
        if self._is_too_much():
            self._show_plainly()
        elif tokens:
            self._let_grow(tokens, chunks[finished:], is_whole)

    def _show(self, chunks: Sequence[str], finished: int) -> list[Token]:
        """Draw what has changed. The tokens are those of the last chunk."""
        references, tokens, is_changed = dict(self._references), list[Token](), False
        for place, chunk in enumerate(chunks):
            block = self._block(self._finished + place)
            is_changed = is_changed or block.source != chunk or "]:" in chunk or place + 1 == len(chunks)
            if is_changed:
                drawing = markdown.draw(chunk, {"references": references, "growing": True})
                block.show(drawing.html, self.revision, chunk)
                tokens = drawing.tokens
            if place + 1 == finished:
                self._references = dict(references)
        for block in self._blocks[self._finished + len(chunks) :]:
            block.show("", self.revision)
        return tokens

    def _block(self, number: int) -> "_Block":
        if number == len(self._blocks):
            self._blocks.append(_Block(self.revision))
        return self._blocks[number]

    def _finish(self, chunks: Sequence[str]) -> None:
        finished = self._blocks[self._finished : self._finished + len(chunks)]
        self._size += sum(len(block.html) for block in finished)
        self._open = self._open[sum(map(len, chunks)) :]
        self._finished += len(chunks)

    def _let_grow(self, tokens: Sequence[Token], chunks: Sequence[str], is_whole: bool) -> None:
        self._last = self._blocks[self._finished + len(chunks) - 1]
        if boundaries.is_code(tokens[-1], chunks[-1]):
            self._growth = _Code(tokens[-1].markup, sum(map(len, chunks)))
            self._last.open_at("> .code > pre > code")
        elif is_whole and (prose := _last_prose(tokens)) and _ends_in_text(prose, chunks[-1]):
            self._growth = _Prose(_end(self._open), MAX_INLINE - len(prose.content))
            self._last.open_at(_path_to_end(tokens))

    def _show_plainly(self) -> None:
        """Too much for us: the text as it is, in the first block."""
        source = markdown.normalise(self.text[: self._taken])
        self._last = self._block(0)
        for block in self._blocks[1:]:
            block.show("", self.revision)
        self._last.show(markdown.plain(source), self.revision)
        self._last.open_at("> pre > code")
        self._growth, self._open = _Plain(), ""


class _Block:
    """A top-level block as its readers see it: drawn at one revision, and grown since."""

    def __init__(self, revision: int) -> None:
        self.source = ""
        self._created = self._drawn = revision
        self._begin = self._end = self._target = ""
        self._pieces: list[str] = []
        self._grown: list[int] = []

    @property
    def html(self) -> SafeString:
        return mark_safe("".join((self._begin, *self._pieces, self._end)))  # noqa: S308 (each part is safe)

    def show(self, html: str, revision: int, source: str = "") -> None:
        self.source = source
        if html != self.html:
            self._begin, self._end, self._drawn = html, "", revision
            self._pieces, self._grown = [], []

    def open_at(self, path: str) -> None:
        """Text may be put in at the end of this element, the last within the last within the last."""
        self._target = path
        if not self._pieces:
            html, place = self.html, len(self.html)
            for _element in range(path.count(">")):
                place = html.rindex("</", 0, place)
            self._begin, self._end = html[:place], html[place:]

    def grow(self, html: str, revision: int) -> None:
        if html:
            self._pieces.append(html)
            self._grown.append(revision)

    def change_since(self, number: int, revision: int) -> Change | None:
        if self._created > revision:
            return Change(number, "append", self.html)
        if self._drawn > revision:
            return Change(number, "replace", self.html)
        more = "".join(self._pieces[bisect_right(self._grown, revision) :])
        return Change(number, "extend", mark_safe(more), self._target) if more else None  # noqa: S308


class _Code:
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


class _Prose:
    """A paragraph goes on as long as nothing comes that could mean something."""

    def __init__(self, shown: int, room: int) -> None:
        self._shown = shown
        self._room = room

    def more(self, source: str, new: str) -> str | None:
        self._room -= len(new)
        if self._room < 0 or _SIGNIFICANT.search(new):
            return None
        begin, self._shown = self._shown, _end(source)
        return source[begin : self._shown]


class _Plain:
    def more(self, source: str, new: str) -> str:
        return new


def _end(source: str) -> int:
    return len(source.rstrip(MD_TRIM_CHARS))


def _last_prose(tokens: Sequence[Token]) -> Token | None:
    """The paragraph at the very end, however deep in lists and quotes."""
    closers = _closers(tokens)
    return tokens[-len(closers) - 1] if closers and closers[-1].type == "paragraph_close" else None


def _closers(tokens: Sequence[Token]) -> list[Token]:
    return list(takewhile(lambda token: token.nesting < 0, reversed(tokens)))


def _path_to_end(tokens: Sequence[Token]) -> str:
    return " ".join(f"> {token.tag}:last-child" for token in _closers(tokens) if not token.hidden)


def _ends_in_text(prose: Token, source: str) -> bool:
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
