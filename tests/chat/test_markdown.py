"""What a text looks like."""

import re
from html import unescape

import pytest

from webchat.chat.markdown.rendering import MAX_CHARACTERS, render

TAGS = re.compile(r"<[^>]*>")


def text_of(html: str) -> str:
    return unescape(TAGS.sub("", html))


def test_headings_emphasis_lists_and_quotes() -> None:
    html = render("# Title\n\n*it* **bold** ~~gone~~\n\n1. one\n2. two\n\n> quote")
    for part in (
        "<h1>Title</h1>",
        "<em>it</em>",
        "<strong>bold</strong>",
        "<s>gone</s>",
        "<ol>",
        "<blockquote>",
    ):
        assert part in html


def test_code_has_its_language_and_colours_as_classes() -> None:
    html = render("```python title=x\nreturn '<b>'\n```")
    assert html.startswith('<div class="code" data-language="python"><pre><code class="highlight">')
    assert '<span class="k">return</span>' in html
    assert "style=" not in html


@pytest.mark.parametrize(
    "language", ["python", "c++", "console", "html", "json", "diff", "bash", "no-such-language", ""]
)
def test_code_keeps_every_character(language: str) -> None:
    code = "\n\n  $ <a href='x'>&amp;\t</a>\n\n+ \\n \"x\" \u00a0 中文 \x0c\n  \n"
    assert text_of(render(f"```{language}\n{code}```\n")).removesuffix("\n") == code


def test_a_table_scrolls_and_aligns_by_class() -> None:
    html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert html.startswith('<div class="table-scroll" role="region" tabindex="0"><table>')
    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html


def test_tasks_are_checkboxes_that_nobody_can_tick() -> None:
    html = render("- [ ] to do\n- [x] done *well*\n- [y] neither")
    assert html.count('<li class="task"><label><input disabled="" type="checkbox"> to do</label></li>') == 1
    assert re.search(r'<input [^>]*checked=""[^>]*> done <em>well</em></label>', html)
    assert "<li>[y] neither</li>" in html


def test_footnotes_of_two_messages_do_not_meet() -> None:
    source = "One[^a], again[^a] and two[^b].\n\n[^a]: First.\n[^b]: Second."
    ids = [set(re.findall(r'\bid="([^"]+)"', render(source, prefix))) for prefix in ("m1", "m2")]
    assert ids[0] and not ids[0] & ids[1]
    html = render(source, "m1")
    assert set(re.findall(r'href="#([^"]+)"', html)) == ids[0]
    assert "_blank" not in html


@pytest.mark.parametrize(
    "source", ["$x^2$", "\\(x^2\\)", "a\n$$\nx^2\n$$", "\\[\nx^2\n\\]", "$$x^2$$", "- \\[ x^2 \\]"]
)
def test_formulas_are_mathml_in_every_notation(source: str) -> None:
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in render(source)


@pytest.mark.parametrize("source", ["$$\nx\n$$", "\\[ x \\]", "> $$\n> x\n> $$"])
def test_a_formula_with_lines_of_its_own_is_displayed(source: str) -> None:
    assert '<div class="math-block"><math display="block"' in render(source)


def test_signs_in_formulas_are_signs() -> None:
    html = render("$a < b \\le c \\text{ & <b>}$")
    assert "<mo>&lt;</mo>" in html
    assert "<mo>≤</mo>" in html
    assert "&nbsp;&amp;&nbsp;&lt;b&gt;</mtext>" in html


@pytest.mark.parametrize("environment", ["aligned", "align*", "gathered", "cases", "bmatrix"])
def test_formulas_of_several_lines_are_laid_out(environment: str) -> None:
    html = render(f"$$\\begin{{{environment}}} a &= b \\\\ c &= d \\end{{{environment}}}$$")
    assert html.count("<mtr>") == 2
    assert ">&amp;<" not in html


@pytest.mark.parametrize(
    "source",
    ["from $5 to $6", "US$5 and US$6", "$ x $", "\\$a\\$", "$", "$$", "`$x$`", "a $b", "\\(open", "$a\n\nb$"],
)
def test_money_and_code_are_no_formulas(source: str) -> None:
    assert "<math" not in render(source)


@pytest.mark.parametrize("latex", ["\\frac{", "\\left(", "{" * 900 + "}" * 900, "x_"])
def test_a_formula_that_cannot_be_understood_is_shown_as_written(latex: str) -> None:
    html = render(f"before ${latex}$ after")
    assert text_of(html) == f"before ${latex}$ after\n" or "<math" in html
    assert "formula-source" in html or "<math" in html


def test_addresses_become_links_and_domains_do_not() -> None:
    html = render("https://example.org/a?b=c&d, me@example.org, example.org, ftp://example.org //example.org")
    assert 'href="https://example.org/a?b=c&amp;d"' in html
    assert 'href="mailto:me@example.org"' in html
    assert html.count("<a ") == 2


def test_links_leave_politely() -> None:
    html = render('[text](https://example.org "title")')
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_deep_nesting_loses_nothing() -> None:
    quotes = "\n".join(f"{'>' * depth} level{depth}\n" for depth in range(1, 31))
    lists = "\n".join(f"{'  ' * depth}- item{depth}" for depth in range(31))
    for source, words in ((quotes, "level"), (lists, "item")):
        assert text_of(render(source)).count(words) == source.count(words)


@pytest.mark.parametrize(
    "source", [">" * 300 + " deep", "- " * 200 + "deep", "> - " * 100 + "deep", "1. " * 150 + "deep"]
)
def test_what_is_too_deep_is_shown_as_it_is(source: str) -> None:
    html = render(f"Before.\n\n{source}\n")
    assert html.startswith('<pre class="plain">')
    assert text_of(html) == f"Before.\n\n{source}\n\n"


def test_what_is_too_long_is_shown_as_it_is() -> None:
    source = "**a** <b>\n" * (MAX_CHARACTERS // 10 + 1)
    html = render(source)
    assert html.startswith('<pre class="plain"><code>**a** &lt;b&gt;')
    assert text_of(html) == source + "\n"


def test_line_ends_and_broken_characters_are_put_right() -> None:
    assert render("a\r\nb\rc\x00\ud83d") == "<p>a\nb\nc\ufffd\ufffd</p>\n"


def test_chinese_renders_beside_english() -> None:
    assert render("你好，**世界**。Hello") == "<p>你好，<strong>世界</strong>。Hello</p>\n"
