"""What does a text look like? Markdown becomes HTML that may stand on our pages.

Code     <div class="code" data-language="python"><pre><code class="highlight">…, Pygments' short classes
Table    <div class="table-scroll" role="region" tabindex="0"><table>…, classes align-left, -center, -right
Task     <li class="task"><label><input type="checkbox" disabled> …</label>
Formula  MathML, in <div class="math-block"> when it has lines of its own; code.formula-source when unclear
Note     sup.footnote-ref, section.footnotes > ol.footnotes-list > li.footnote-item, a.footnote-backref
Images are links, so nothing is ever loaded. Text that is too much is in <pre class="plain"><code>, whole.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

from webchat.chat.markdown import sanitiser
from webchat.chat.markdown.dialect import MAX_NESTING, Env, Parser

RENDERER_VERSION = 1

MAX_CHARACTERS = 200_000
MAX_HTML = 2_000_000
MAX_NESTED_LINES = 100_000
MAX_FOOTNOTES = 200

_QUOTES = re.compile(r"^[ \t>*+\-0-9.)]*>", re.MULTILINE)
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")

_parser = Parser(footnotes=False)
_parser_with_footnotes = Parser(footnotes=True)


class Drawing(NamedTuple):
    html: SafeString
    tokens: list[Token]


def render(text: str, prefix: str = "") -> SafeString:
    """The whole text at once. `prefix` keeps the ids of footnotes apart where a page shows several texts."""
    source = normalise(text)
    if len(text) > MAX_CHARACTERS or is_too_nested(source.count("\n"), quote_depth(source)):
        return plain(source)
    notes = source.count("[^") + source.count("^[")
    env = {"docId": prefix} if prefix else {}
    return draw(source, env, _parser_with_footnotes if notes <= MAX_FOOTNOTES else _parser).html


def normalise(text: str) -> str:
    """One kind of line end, and nothing that is no character."""
    return _NOT_TEXT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def quote_depth(source: str) -> int:
    return max((match[0].count(">") for match in _QUOTES.finditer(source)), default=0)


def is_too_nested(lines: int, depth: int) -> bool:
    """Every quote goes through all of its lines again."""
    return lines * depth > MAX_NESTED_LINES


def plain(source: str) -> SafeString:
    return mark_safe(f'<pre class="plain"><code>{escape_text(source)}</code></pre>\n')  # noqa: S308


def escape_text(text: str) -> SafeString:
    """Text in the very form in which the sanitiser writes it."""
    return mark_safe(escape(text, quote=False).replace("\xa0", "&nbsp;"))  # noqa: S308


def draw(source: str, env: Env, parser: Parser = _parser) -> Drawing:
    """A part that begins and ends between top-level blocks, and its tokens (none when shown plainly)."""
    try:
        tokens = parser.parse(source, env)
        if any(token.level >= MAX_NESTING - 1 for token in tokens) or _attributes(tokens) > MAX_HTML:
            return Drawing(plain(source), [])
        html = parser.renderer.render(tokens, parser.options, env)
    except RecursionError:
        return Drawing(plain(source), [])
    if len(html) > MAX_HTML:
        return Drawing(plain(source), [])
    return Drawing(mark_safe(sanitiser.clean(html)), tokens)  # noqa: S308 (what this module is for)


def outline(source: str, env: Env) -> list[Token]:
    """The first tokens of the top-level blocks, which know their lines. Far cheaper than drawing."""
    tokens: list[Token] = []
    _parser.block.parse(source, _parser, env, tokens)
    return [token for token in tokens if token.level == 0 and token.map and token.nesting >= 0]


def _attributes(tokens: Sequence[Token]) -> int:
    # A link reference repeats its address wherever it is used: 200 kB could become gigabytes.
    children = (child for token in tokens for child in token.children or ())
    return sum(len(str(value)) for child in children for value in child.attrs.values())
