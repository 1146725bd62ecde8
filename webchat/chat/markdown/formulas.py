"""What does a formula look like? Finds $…$, $$…$$, \\(…\\) and \\[…\\], and draws them as MathML."""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element, tostring  # builds and writes only, parses nothing

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

# What is longer is no formula but text. It also bounds the search for each end, and so the whole.
MAX_LENGTH = 2_000

CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}

# Their expansion has no bound.
MACROS = re.compile(r"\\(?:re)?newcommand|\\def\b|\\let\b|\\newenvironment")

LENGTHS = {"depth", "height", "lspace", "mathsize", "maxsize", "minsize", "rspace", "voffset", "width"}
HUGE = re.compile(r"(?<![\d.])\d{2,}")  # ten and more, of whatever unit

# The converter does not lay these out, but knows others that look the same.
ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|gather|gathered|multline|eqnarray)\*?\}")
NUMBERED = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}")


def formulas(markdown: MarkdownIt) -> None:
    """A markdown-it plugin: tokens `formula_block` and `formula`, opener in `markup`, LaTeX in `content`."""
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    markdown.block.ruler.before("fence", "formula_block", _block, interrupts)
    markdown.inline.ruler.before("escape", "formula", _inline)


@lru_cache(maxsize=2048)
def draw(latex: str, opener: str) -> str:
    """MathML, or the source as it was written where it cannot be understood."""
    try:
        return _mathml(latex, "block" if opener in ("$$", "\\[") else "inline")
    except Exception:  # the converter fails on half formulas in a dozen ways, RecursionError among them
        return f'<code class="formula-source">{escape(opener + latex + CLOSERS[opener])}</code>'


def _mathml(latex: str, display: str) -> str:
    if MACROS.search(latex):
        raise ValueError
    known = ALIGNED.sub(r"\\\1{align*}", NUMBERED.sub("", latex)).strip()
    math = convert_to_element(known, display=display)
    _tame(math)
    math.attrib.pop("xmlns", None)
    math.set("alttext", latex.strip())
    return tostring(math, encoding="unicode")


def _tame(math: Element) -> None:
    for element in math.iter():
        # The converter writes symbols as entities, and its own output function takes *all* escaping away:
        # \text{<img>} would become an element.
        element.text = unescape(element.text) if element.text else None
        # \hspace{-60em} would draw over the rest of the page.
        for name in LENGTHS & element.attrib.keys():
            if HUGE.search(element.attrib[name]):
                del element.attrib[name]


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula with lines of its own. It contains no empty line and no code, and ends in its own container."""
    begin = state.bMarks[start] + state.tShift[start]
    opener = state.src[begin : begin + 2]
    if opener not in ("$$", "\\[") or state.is_code_block(start):
        return False
    close = state.src.find(CLOSERS[opener], begin + 2, begin + 2 + MAX_LENGTH)
    last = _line_of(state, close, start, end)
    if last is None or state.src[close + 2 : state.eMarks[last]].strip():
        return False
    content = state.getLines(start, last + 1, state.sCount[start], False).strip()
    content = content.removeprefix(opener).removesuffix(CLOSERS[opener]).strip()
    if not content:
        return False
    if not silent:
        token = state.push("formula_block", "math", 0)
        token.content, token.markup, token.map = content, opener, [start, last + 1]
        state.line = last + 1
    return True


def _line_of(state: StateBlock, position: int, start: int, end: int) -> int | None:
    line = start
    while position > state.eMarks[line]:
        line += 1
        begin = state.bMarks[line] + state.tShift[line] if line < end else 0
        if line >= end or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return None
        if state.src.startswith(("```", "~~~"), begin):
            return None  # code has begun, and whatever comes is code
    return line if position >= 0 else None


def _inline(state: StateInline, silent: bool) -> bool:
    source, begin = state.src, state.pos
    opener = source[begin : begin + 2]
    if opener not in CLOSERS:
        opener = source[begin]
        if opener != "$":
            return False
    start = begin + len(opener)
    limit = min(state.posMax, start + MAX_LENGTH)
    close = _dollar(source, start, limit) if opener == "$" else source.find(CLOSERS[opener], start, limit)
    if close < 0 or not source[start:close].strip():
        return False
    if opener == "\\[" and source.startswith("(", close + 2):
        return False  # \[not a link\](…)
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup = source[start:close].strip(), opener
    state.pos = close + len(CLOSERS[opener])
    return True


def _dollar(source: str, start: int, limit: int) -> int:
    """Where `$` ends a formula. Pandoc's rule keeps prices text: no space inside, no digit behind."""
    if source[start : start + 1].isspace():
        return -1
    close = source.find("$", start, limit)
    while close > 0 and source[close - 1] == "\\":
        close = source.find("$", close + 1, limit)
    if close < 0 or source[close - 1].isspace() or source[close + 1 : close + 2].isdigit():
        return -1
    return close
