"""How does a text look while it is still arriving? As top-level blocks: all but the last are finished.

The blocks are a function of the text alone, however it was cut. Text is drawn only when somebody asks, once
for everybody; a paragraph or a code block that just goes on is not drawn again at all.

Not as in `rendering.render`, whose HTML replaces the whole at the end: footnotes, links defined after use,
colours in a code block that is still open, and a last half line that could still become something else.
A block may lose its text again (a `$$` closes, and three blocks are one formula): it stays then, empty.
"""

import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

from webchat.chat.markdown import boundaries, rendering
from webchat.chat.markdown.dialect import MAX_CELLS, MAX_INLINE, Env
from webchat.chat.markdown.growth import Code, Plain, Prose, ends_in_text, last_prose, path_to_end
from webchat.chat.markdown.loose_ends import tidy, tidy_code


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
        # The source behind the finished blocks, and what those have defined and left.
        self._open = ""
        self._finished = 0
        self._references: dict[str, Any] = {}
        self._cells = MAX_CELLS
        # How the last block goes on without being drawn again.
        self._growth: Code | Prose | Plain | None = None
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
        new = self._take()
        more = self._growth.more(self._open, new) if self._growth else None
        self.seconds_to_draw = 0.0
        if self._is_too_much() and not isinstance(self._growth, Plain):
            self._show_plainly()
        elif more is not None:
            self._last.grow(rendering.escape_text(more), self.revision)
        else:
            # Of this thread alone: while others have the interpreter, nothing is drawn.
            begun = time.thread_time()
            self._redraw_or_give_up()
            self.seconds_to_draw = time.thread_time() - begun
        self._drawn.add(self.revision)

    def _take(self) -> str:
        """Move what is new to the open source, in its normal form."""
        raw = self.text[self._taken :]
        if raw.endswith("\r"):
            raw = raw[:-1]  # perhaps half of a line end
        self._taken += len(raw)
        new = rendering.normalise(raw)
        line = self._open.rfind("\n") + 1
        self._open += new
        self._lines += new.count("\n")
        if ">" in new:
            self._depth = max(self._depth, rendering.quote_depth(self._open[line:]))
        return new

    def _is_too_much(self) -> bool:
        is_long = self.revision > rendering.MAX_CHARACTERS or self._size > rendering.MAX_HTML
        return is_long or rendering.is_too_nested(self._lines, self._depth)

    def _redraw_or_give_up(self) -> None:
        try:
            self._redraw()
        except RecursionError:
            self._show_plainly()

    def _redraw(self) -> None:
        self._growth = None
        shown = tidy(self._open)
        tops = rendering.outline(shown, {"cells": self._cells})
        if tops and boundaries.is_code(tops[-1], shown):
            shown = tidy_code(self._open)
        is_whole = shown == self._open
        chunks = boundaries.split(shown, tops)
        finished = boundaries.count_finished(chunks, tops)
        tokens = self._show(chunks, finished)
        self._finish(chunks[:finished])
        if self._is_too_much():
            self._show_plainly()
        elif tokens:
            self._let_grow(tokens, chunks[finished:], is_whole)

    def _show(self, chunks: Sequence[str], finished: int) -> list[Token]:
        """Draw what has changed. The tokens are those of the last chunk."""
        references, cells = dict(self._references), self._cells
        tokens, is_changed = list[Token](), False
        for place, chunk in enumerate(chunks):
            block = self._block(self._finished + place)
            is_changed = is_changed or block.source != chunk or "]:" in chunk or place + 1 == len(chunks)
            if is_changed:
                env: Env = {"references": references, "cells": cells, "growing": True}
                html, tokens = rendering.draw(chunk, env)
                block.show(html, self.revision)
                block.source, block.cells = chunk, cells - env["cells"]
            cells -= block.cells
            if place + 1 == finished:
                self._references, self._cells = dict(references), cells
        for block in self._blocks[self._finished + len(chunks) :]:
            block.show("", self.revision)
            block.source = ""
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
            self._growth = Code(tokens[-1].markup, sum(map(len, chunks)))
            self._last.open_at("> .code > pre > code")
        elif is_whole and (prose := last_prose(tokens)) and ends_in_text(prose, chunks[-1]):
            self._growth = Prose(self._open, MAX_INLINE - len(prose.content))
            self._last.open_at(path_to_end(tokens))

    def _show_plainly(self) -> None:
        """Too much for us: the text as it is, in the first block."""
        source = rendering.normalise(self.text[: self._taken])
        self._last = self._block(0)
        for block in self._blocks[1:]:
            block.show("", self.revision)
        self._last.show(rendering.plain(source), self.revision)
        self._last.open_at("> pre > code")
        self._growth, self._open = Plain(), ""


class _Block:
    """A top-level block as its readers see it: drawn at one revision, and grown since."""

    def __init__(self, revision: int) -> None:
        self.source = ""
        self.cells = 0
        self._created = self._drawn = revision
        self._begin = self._end = self._target = ""
        self._pieces: list[str] = []
        self._grown: list[int] = []

    @property
    def html(self) -> SafeString:
        return mark_safe("".join((self._begin, *self._pieces, self._end)))  # noqa: S308 (each part is safe)

    def show(self, html: str, revision: int) -> None:
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
