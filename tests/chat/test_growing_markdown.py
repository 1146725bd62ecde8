"""However a text is cut, and whenever a reader looks: what it has is what the text says."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.documents import DEFINITIONS, LINES, cut
from webchat.chat.markdown.growing import Change, GrowingMarkdown
from webchat.chat.markdown.rendering import MAX_CHARACTERS, plain, render

COLOURS = re.compile(r"</?span[^>]*>")
END = "\n\nThe end.\n"

documents = st.lists(st.sampled_from(LINES), min_size=1, max_size=14).map("\n".join)
documents_with_definitions = st.lists(st.sampled_from(LINES + DEFINITIONS * 3), min_size=1, max_size=14).map(
    "\n".join
)
chances = st.randoms(use_true_random=False)


class Reader:
    """A page: it does what the changes say, and remembers its revision."""

    def __init__(self, growing: GrowingMarkdown) -> None:
        self.growing = growing
        self.revision = 0
        self.blocks: list[str] = []

    def look(self) -> list[Change]:
        changes = self.growing.changes_since(self.revision)
        self.revision = self.growing.revision
        for change in changes:
            self._apply(change)
        return changes

    def _apply(self, change: Change) -> None:
        if change.action == "append":
            assert change.block == len(self.blocks)
            self.blocks.append(change.html)
        elif change.action == "replace":
            self.blocks[change.block] = change.html
        else:
            html = self.blocks[change.block]
            place = len(html)
            for _element in change.target.split("> ")[1:]:
                place = html.rindex("</", 0, place)
            self.blocks[change.block] = html[:place] + change.html + html[place:]

    @property
    def page(self) -> list[str]:
        last = max((number for number, html in enumerate(self.blocks) if html), default=-1)
        return self.blocks[: last + 1]


def reader_of(text: str) -> Reader:
    growing = GrowingMarkdown()
    growing.append(text)
    reader = Reader(growing)
    reader.look()
    return reader


def html_of(text: str) -> str:
    return "".join(reader_of(text).page)


def read_along(document: str, chance: random.Random) -> None:
    growing = GrowingMarkdown()
    readers = [(Reader(growing), often) for often in (1.0, 0.4, 0.1)]
    for piece in cut(document, chance):
        growing.append(piece)
        for reader, often in readers:
            if chance.random() < often:
                reader.look()
                if chance.random() < 0.3:
                    assert reader.page == reader_of(growing.text).page, (growing.text, document)


@settings(max_examples=80, deadline=None)
@given(documents_with_definitions, chances)
def test_every_reader_has_what_the_text_says_however_it_was_cut(document: str, chance: random.Random) -> None:
    read_along(document, chance)


@settings(max_examples=80, deadline=None)
@given(documents)
def test_the_blocks_together_are_the_one_shot_rendering(document: str) -> None:
    text = document + END
    assert COLOURS.sub("", html_of(text)) == COLOURS.sub("", render(text))


def test_a_thousand_documents() -> None:
    for seed in range(1000):
        chance = random.Random(seed)
        lines = chance.choices(LINES + DEFINITIONS if seed % 3 == 0 else LINES, k=chance.randint(1, 6))
        text = ("\r\n" if seed % 5 == 0 else "\n").join(lines) + END
        growing = GrowingMarkdown()
        reader = Reader(growing)
        for piece in cut(text, chance):
            growing.append(piece)
            reader.look()
        assert reader.page == reader_of(text).page, text
        if seed % 3:
            assert COLOURS.sub("", "".join(reader.page)) == COLOURS.sub("", render(text)), text


def test_the_revision_is_the_length_of_the_text() -> None:
    growing = GrowingMarkdown()
    for piece in ("a\r", "\nb", "\x00", "👩‍👩‍👧", ""):
        growing.append(piece)
    assert growing.text == "a\r\nb\x00👩‍👩‍👧"
    assert growing.revision == len(growing.text)


def test_a_reader_who_is_up_to_date_gets_nothing() -> None:
    reader = reader_of("# One\n\nTwo")
    assert reader.look() == []
    assert reader.growing.changes_since(reader.revision) == []


def test_a_reader_who_was_served_elsewhere_gets_what_it_lacks() -> None:
    growing = GrowingMarkdown()
    growing.append("First.\n\n- one\n- two\n\nLast and more.")
    stranger = reader_of("First.\n\n- one")
    stranger.growing = growing
    changes = stranger.look()
    assert [(change.block, change.action) for change in changes] == [(1, "replace"), (2, "append")]
    assert stranger.page == reader_of(growing.text).page


@pytest.mark.parametrize(
    ("beginning", "delta", "target"),
    [
        ("Some **bold** prose and", " more of it, 5.5 times; yes!", "> p:last-child"),
        ("中文 **粗体** 的文", "字继续下去，没有空格。", "> p:last-child"),
        ("- one\n- two is", " long", "> ul:last-child > li:last-child"),
        ("1. one\n\n   para", "graph", "> ol:last-child > li:last-child > p:last-child"),
        ("> quoted", " words", "> blockquote:last-child > p:last-child"),
        ("- a\n  - b", "c", "> ul:last-child > li:last-child > ul:last-child > li:last-child"),
        ("```python\nx = 1\n", "y = <2>\nz", "> .code > pre > code"),
    ],
)
def test_what_just_goes_on_is_extended(beginning: str, delta: str, target: str) -> None:
    reader = reader_of(beginning)
    reader.growing.append(delta)
    (change,) = reader.look()
    assert (change.action, change.target) == ("extend", target)
    assert reader.page == reader_of(beginning + delta).page


@pytest.mark.parametrize(
    ("beginning", "delta"),
    [
        ("see https://example.org/a", "bc"),
        ("write to a@example", ".org"),
        ("https://example.org", "."),
        ("some *emphasis", "*"),
        ("a &am", "p; b"),
        ("a [link](https://example.org", ")"),
        ("a [link](https://example.org 'ti", "tle')"),
        ("price $5", " and $x$"),
        ("one\n", "two"),
        ("2", "."),
        ("text `code", "` text"),
        ("a ~~b", "~~"),
        ("```\ncode\n", "```\n"),
        ("[a]: https://example.org 'ti", "tle'"),
    ],
)
def test_what_may_mean_something_is_drawn_anew(beginning: str, delta: str) -> None:
    reader = reader_of(beginning)
    reader.growing.append(delta)
    assert all(change.action != "extend" for change in reader.look())
    assert reader.page == reader_of(beginning + delta).page


def test_a_long_code_block_sends_each_of_its_characters_once() -> None:
    reader = reader_of("```python\n")
    sent = 0
    for number in range(500):
        reader.growing.append(f"value_{number} = {number}\n")
        sent += sum(len(change.html) for change in reader.look())
    assert sent < 1.1 * len(reader.growing.text)


def test_a_long_paragraph_sends_each_of_its_characters_once() -> None:
    reader = reader_of("It **begins** so:")
    sent = 0
    for number in range(500):
        reader.growing.append(f" and then {number} words")
        sent += sum(len(change.html) for change in reader.look())
    assert sent < 1.1 * len(reader.growing.text)


def test_a_finished_block_is_never_sent_again() -> None:
    reader = reader_of("")
    touched: list[int] = []
    for paragraph in range(50):
        for piece in (f"Paragraph {paragraph} ", "with **bold", "** and `code`", " in it.\n", "\n"):
            reader.growing.append(piece)
            touched += [change.block for change in reader.look()]
    assert touched == sorted(touched)


@pytest.mark.parametrize(
    "half",
    [
        "text\n-",
        "text\n==",
        "text\n1",
        "text\n12.",
        "text\n#",
        "text\n```py",
        "text\n[ref]: htt",
        "text\n| a | b |\n|--",
    ],
)
def test_a_half_line_that_may_become_anything_waits(half: str) -> None:
    assert html_of(half) == "<p>text</p>\n"


@pytest.mark.parametrize(
    ("half", "html"),
    [
        ("an **open", "<p>an <strong>open</strong></p>\n"),
        ("an **", "<p>an</p>\n"),
        ("an `open", "<p>an <code>open</code></p>\n"),
        ("a [link](https://exam", "<p>a</p>\n"),
        ("it costs $5 and", "<p>it costs $5 and</p>\n"),
        ("open $x + y", "<p>open $x + y</p>\n"),
        ("a\\", "<p>a</p>\n"),
    ],
)
def test_a_half_line_does_not_flicker(half: str, html: str) -> None:
    assert html_of(half) == html


def test_an_open_fence_is_code_from_its_first_line_and_gets_its_colours_when_it_closes() -> None:
    open_code = html_of("```python\ndef f(): pass\n``")
    assert open_code == (
        '<div class="code" data-language="python"><pre><code class="highlight">def f(): pass\n'
        "</code></pre></div>\n"
    )
    assert '<span class="k">def</span>' in html_of("```python\ndef f(): pass\n```\n")


def test_blocks_that_turn_out_to_be_one_formula_lose_their_text() -> None:
    reader = reader_of("$$\na\n- b\n")
    assert len(reader.page) == 2
    reader.growing.append("$$\n")
    reader.look()
    assert len(reader.page) == 1
    assert "<math" in reader.page[0]
    assert reader.blocks[1:] == [""]


@pytest.mark.parametrize(
    "pieces",
    [
        ["$$\n* star\n| a | b |\n", "- $$\n  more"],
        ["text\n> ```\n$$\n````\n  code\n- item\n", "$$\na | b\n"],
        ["text\n\\[\n```\n", "\\]\n", "$$\n"],
    ],
)
def test_what_the_fuzz_test_found(pieces: list[str]) -> None:
    growing = GrowingMarkdown()
    reader = Reader(growing)
    for piece in pieces:
        growing.append(piece)
        reader.look()
    assert reader.page == reader_of("".join(pieces)).page


def test_a_definition_waits_for_its_title() -> None:
    growing = GrowingMarkdown()
    reader = Reader(growing)
    for line in ("Before.", "", "[ref]: https://example.org", "'a title", "goes on'", "", "See [ref].", ""):
        growing.append(f"{line}\n")
        reader.look()
    assert 'title="a title\ngoes on"' in reader.page[-1]
    assert "".join(reader.page) == render(growing.text)


def test_a_text_that_becomes_too_long_is_shown_plainly_and_goes_on() -> None:
    text = "# Title\n\n```\n" + "code < code\n" * (MAX_CHARACTERS // 12)
    reader = reader_of(text[: MAX_CHARACTERS - 100])
    assert len(reader.page) == 2
    for piece in (text[MAX_CHARACTERS - 100 :], " <more>", "\n\n# not a heading"):
        reader.growing.append(piece)
        changes = reader.look()
    assert [change.action for change in changes] == ["extend"]
    assert reader.page == [plain(reader.growing.text)]
    assert reader.page == [render(reader.growing.text)]
