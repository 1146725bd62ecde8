"""Nothing that a model or a person writes runs, loads, or takes the server's time."""

from html.parser import HTMLParser

import pytest

from webchat.chat.markdown import sanitiser
from webchat.chat.markdown.growing import GrowingMarkdown
from webchat.chat.markdown.rendering import MAX_CHARACTERS, MAX_HTML, render

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{background:url(https://evil.example/)}</style>",
    "<div hx-get=/admin/ hx-trigger=load data-hx-get=/x hx-on:click=alert(1) hx-swap-oob=true id=messages>",
    "<form action=/accounts/logout/><button>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<a href='javascript:alert(1)' onclick=alert(1) style='position:fixed'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](/accounts/logout/)",
    "[x](//evil.example/)",
    "[x](\\\\evil.example)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/x.png)",
    "![x][r]\n\n[r]: https://evil.example/x.png",
    "[![x](https://evil.example/x.png)](https://evil.example/)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![a ![b](https://evil.example/b)](https://evil.example/a)",
    '[x](https://example.org "&quot; onmouseover=alert(1) x=&quot;")',
    '```"><script>alert(1)</script>\ncode\n```',
    "```<img/src=x>\n</code></pre><script>alert(1)</script>\n```",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    "$\\class{evil}{x} \\style{position:fixed}{y} \\unicode{x}$",
    "$$\\hspace{-99em} \\rule{99em}{99em} \\kern-500px x$$",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "x[^1]\n\n[^1]: <script>alert(1)</script> [y](javascript:alert(1))",
    "- [ ] <input onfocus=alert(1) autofocus>",
    "\u202e<script\u0000>alert(1)</script\u2028>",
]

TAGS = """
    a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr input label li ol p pre s section span strong sup
    table tbody td th thead tr ul math mfrac mi mn mo mrow mspace mstyle msup mtext mpadded mtable mtr mtd
"""
ATTRIBUTES = """
    checked class data-language disabled href id rel role start tabindex target title type
    alttext depth display displaystyle fence form height mathvariant stretchy width
"""


class Inspector(HTMLParser):
    """Reads the HTML as a browser would, and objects."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS.split(), tag
        for name, value in attrs:
            assert name in ATTRIBUTES.split(), name
            if name == "href":
                assert (value or "").startswith(("https://", "http://", "mailto:", "#fn")), value
                self.links.append(value or "")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("around", ["{}", "> - {}\n", "text {} text", "**{}**", "# {}"])
def test_nothing_foreign_survives(payload: str, around: str) -> None:
    source = around.format(payload)
    Inspector(render(source))
    growing = GrowingMarkdown()
    for character in source:
        growing.append(character)
        for change in growing.changes_since(growing.revision - 1):
            Inspector(change.html)


def test_the_sanitiser_alone_would_hold() -> None:
    """Were a renderer to let HTML through one day, this wall still stands."""
    for payload in PAYLOADS:
        Inspector(sanitiser.clean(payload))
    assert "href" not in sanitiser.clean('<a href="/x">z</a>')
    assert "url(" not in sanitiser.clean('<p style="background:url(https://evil.example)">x</p>')
    assert sanitiser.clean('<input type="text" name="password">') == '<input type="checkbox">'


@pytest.mark.parametrize(
    "source",
    [
        "![alt](https://example.org/x.png)",
        "![alt][r]\n\n[r]: https://example.org/x.png",
        "- ![alt](https://example.org/x.png)",
    ],
)
def test_a_picture_is_a_link_with_its_words(source: str) -> None:
    html = render(source)
    assert Inspector(html).links == ["https://example.org/x.png"]
    assert ">alt</a>" in html


def test_a_picture_without_words_shows_where_it_is() -> None:
    assert ">https://example.org/x.png</a>" in render("![](https://example.org/x.png)")


def test_a_picture_in_a_link_is_its_words() -> None:
    html = render("[![alt](https://example.org/x.png)](https://example.org/)")
    assert Inspector(html).links == ["https://example.org/"]
    assert ">alt</a>" in html


def test_a_link_into_the_portal_stays_text() -> None:
    assert render("[out](/accounts/logout/)") == "<p>[out](/accounts/logout/)</p>\n"


def test_an_enormous_space_in_a_formula_is_dropped() -> None:
    html = render("$\\hspace{-60em} x \\hspace{1em}$")
    assert '"-60em"' not in html
    assert 'width="1em"' in html


def test_a_macro_is_not_expanded() -> None:
    assert "formula-source" in render("$\\newcommand{\\a}{xx} \\a$")


HOSTILE = {
    "images": "![" * 9_000,
    "brackets": "[" * 9_000,
    "nested links": "[" * 3_000 + "](https://a)" * 3_000,
    "nested pictures": "![" * 2_000 + "](https://a)" * 2_000,
    "emphasis": "*a_" * 6_000,
    "one long paragraph": "*a_ [b" * 9_000,
    "lazy quotes": ">" * 90 + "a\n" * 9_000,
    "quotes and lists": "> - " * 40 + "a\n" * 9_000,
    "one wide table": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "b\n" * 3_000,
    "many wide tables": ("|a" * 100 + "|\n" + "|-" * 100 + "|\n" + "b\n" * 200 + "\n") * 30,
    "long references": "[a]: https://" + "u" * 1_900 + "\n\n" + "[a] " * 4_000,
    "long titles": '[a]: https://a "' + "t" * 9_000 + '"\n\n' + "[a] " * 4_000,
    "very long address": "[a]: https://" + "u" * 50_000 + "\n\n" + "[a] " * 4_000,
    "definitions": "[a]: https://a\n" * 5_000,
    "footnotes": "[^1]" * 5_000 + "\n\n[^1]: note",
    "nested footnotes": "[^1]: " * 150 + "x [^1]",
    "inline footnotes": "^[" * 150 + "x" + "]" * 150,
    "open formulas": "$$ a\n\n" * 3_000,
    "escaped dollars": "$" + "\\$" * 9_000,
    "deep formula": "$$" + "{" * 900 + "}" * 900 + "$$",
    "macro bomb": "$\\newcommand{\\a}{xx}"
    + "".join(f"\\newcommand{{\\a{i}}}{{\\a\\a}}" for i in range(20))
    + "$",
    "tasks": "- [ ] a\n" * 5_000,
    "colours": "```python\n" + "x = [" * 9_000,
    "markers": "*" * 50_000 + "a",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_stay_small_and_whole(name: str) -> None:
    source = HOSTILE[name]
    assert len(source) < MAX_CHARACTERS
    limit = min(2 * MAX_HTML, 40 * len(source) + 300_000)
    assert len(render(source)) < limit
    growing = GrowingMarkdown()
    growing.append(source)
    assert sum(len(change.html) for change in growing.changes_since(0)) < limit


def test_a_hostile_text_is_not_lost() -> None:
    for name in ("images", "brackets", "lazy quotes", "long references", "one long paragraph"):
        source = HOSTILE[name]
        letters = sum(map(str.isalpha, source))
        assert sum(map(str.isalpha, render(source))) >= letters, name
