"""Which Markdown do we speak? CommonMark with tables, tasks, footnotes, formulas, and code in colour.

Everything a hostile text could make expensive has a limit here.
"""

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.util import ClassNotFound

from webchat.chat.markdown import formulas

MAX_NESTING = 100  # markdown-it drops what is deeper, so nothing may ever get there
MAX_INLINE = 20_000  # one paragraph; beyond, it is plain text
MAX_INLINE_NESTING = 12
MAX_CELLS = 20_000  # in all tables together
MAX_URL = 2_000
MAX_HIGHLIGHTED = 20_000

Env = MutableMapping[str, Any]

_URL = re.compile(r"https?://|mailto:", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_formatter = HtmlFormatter(nowrap=True)
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Env, tokens: list[Token]) -> list[Token]:
        if len(src) > MAX_INLINE:
            tokens.append(Token("text", "", 0, content=src))
            return tokens
        state = StateInline(src, md, env, tokens)
        # Brackets cost their number times the depth; blocks need more depth than they do.
        state.level = MAX_NESTING - MAX_INLINE_NESTING
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class Parser(MarkdownIt):
    def __init__(self, *, footnotes: bool) -> None:
        super().__init__()
        self.inline = _Inline()
        options = {"html": False, "linkify": True, "maxNesting": MAX_NESTING, "xhtmlOut": False}
        self.configure("commonmark", options).enable(["table", "strikethrough", "linkify"])
        self.use(formulas.formulas)
        if footnotes:
            self.use(footnote_plugin)
        self.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
        self.core.ruler.push("images", _images_as_links)
        self.core.ruler.push("tasks", _tasks)
        for name, rule in _RULES.items():
            self.add_render_rule(name, rule)
        if self.linkify:
            self.linkify.set({"fuzzy_link": False})
            self.linkify.add("ftp:", None).add("//", None)

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return len(url) <= MAX_URL and bool(_URL.match(url))


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # Short rows are filled up to the header's width: a few kB of text would become millions of cells.
    left = state.env.get("cells", MAX_CELLS)
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start]) + 1
    begun = len(state.tokens)
    if not table(state, start, min(end, start + 2 + left // columns), silent):
        return False
    state.env["cells"] = left - (len(state.tokens) - begun) // 3
    return True


def _images_as_links(state: StateCore) -> None:
    for token in state.tokens:
        if token.children and any(child.type == "image" for child in token.children):
            token.children = list(_without_images(token.children, state))


def _without_images(children: Sequence[Token], state: StateCore) -> Iterator[Token]:
    is_in_link = False
    for child in children:
        if child.type in ("link_open", "link_close"):
            is_in_link = child.type == "link_open"
        if child.type != "image":
            yield child
            continue
        address = str(child.attrs["src"])
        text = _text(child)
        shown = Token("text", "", 0, content=text if text.strip() else address)
        if is_in_link:
            yield shown
        else:
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield shown
            yield Token("link_close", "a", -1)


def _text(image: Token) -> str:
    return "".join(_text(child) if child.type == "image" else child.content for child in image.children or ())


def _tasks(state: StateCore) -> None:
    for item, _paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type != "list_item_open" or not inline.children:
            continue
        first = inline.children[0]
        task = _TASK.match(first.content) if first.type == "text" else None
        if task:
            item.attrSet("class", "task")
            first.content = first.content[task.end() :]
            box = Token("task_open", "input", 0, info=task[1].strip())
            inline.children = [box, *inline.children, Token("task_close", "label", 0)]


def _code(code: str, language: str, is_highlighted: bool = True) -> str:
    label = f' data-language="{escape(language)}"' if language else ""
    html = _highlighted(code, language) if is_highlighted else escape(code)
    return f'<div class="code"{label}><pre><code class="highlight">{html}</code></pre></div>\n'


def _highlighted(code: str, language: str) -> str:
    lexer = _lexer(language.lower()) if len(code) <= MAX_HIGHLIGHTED else None
    if lexer is None:
        return escape(code)
    # A new lexer each time: some keep notes, and several threads render.
    return str(highlight(code, lexer(stripnl=False, ensurenl=False), _formatter))


@lru_cache(maxsize=256)
def _lexer(language: str) -> type[Lexer] | None:
    try:
        found: type[Lexer] = find_lexer_class_by_name(language)
    except ClassNotFound:
        return None
    return found


def _fence(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    token = tokens[index]
    language = _LANGUAGE.match(token.info.strip())
    is_growing = "growing" in env and is_open_fence(token)
    return _code(token.content, language[0] if language else "", not is_growing)


def is_open_fence(token: Token) -> bool:
    """Whether the text ended before the fence did."""
    if token.type != "fence" or not token.map:
        return False
    lines = token.content.count("\n") + (not token.content.endswith("\n") and bool(token.content))
    return lines == token.map[1] - token.map[0] - 1


def _code_block(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    return _code(tokens[index].content, "")


def _formula(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    return formulas.draw(tokens[index].content, tokens[index].markup)


def _formula_block(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env
) -> str:
    return f'<div class="math-block">{_formula(renderer, tokens, index, options, env)}</div>\n'


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    tokens[index].attrSet("target", "_blank")
    return renderer.renderToken(tokens, index, options, env)


def _table_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    return '<div class="table-scroll" role="region" tabindex="0"><table>\n'


def _table_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    return "</table></div>\n"


def _cell_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    style = tokens[index].attrs.pop("style", None)  # a style attribute would need a weaker CSP
    if style:
        tokens[index].attrSet("class", f"align-{str(style).removeprefix('text-align:')}")
    return renderer.renderToken(tokens, index, options, env)


def _task_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    checked = " checked" if tokens[index].info else ""
    return f'<label><input type="checkbox" disabled{checked}> '


def _task_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Env) -> str:
    return "</label>"


_RULES = {
    "fence": _fence,
    "code_block": _code_block,
    "formula": _formula,
    "formula_block": _formula_block,
    "link_open": _link_open,
    "table_open": _table_open,
    "table_close": _table_close,
    "th_open": _cell_open,
    "td_open": _cell_open,
    "task_open": _task_open,
    "task_close": _task_close,
}
