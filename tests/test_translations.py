"""Does every language say everything? The catalogues against each other, and against the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

LOCALE = settings.BASE_DIR / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))

# Where the context, the message and its plural stand among a function's arguments.
ARGUMENTS: dict[str, tuple[int | None, int, int | None]] = {
    "gettext": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "pgettext": (0, 1, None),
    "npgettext": (0, 1, 2),
}
ARGUMENTS |= {f"{name}_lazy": places for name, places in ARGUMENTS.items() if name != "gettext_noop"}
LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL_IN_TEMPLATE = re.compile(rf"\b(?:_|n?p?gettext)\({LITERAL}(?:, ?{LITERAL})*", re.DOTALL)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?.?|\{\w*\}")

Said = tuple[str, str, str]  # context, message, plural


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.parts[-3])
def path(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def catalogue(path: Path) -> polib.POFile:
    return polib.pofile(str(path))


def test_every_language_on_offer_has_a_catalogue() -> None:
    offered = {to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}
    assert offered and offered == {path.parts[-3] for path in CATALOGUES}


def test_what_is_compiled_is_what_was_written(path: Path, catalogue: polib.POFile) -> None:
    compiled = polib.mofile(str(path.with_suffix(".mo")))
    assert compiled.metadata == catalogue.metadata
    assert {key(entry): meaning(entry) for entry in compiled} == {
        key(entry): meaning(entry) for entry in catalogue
    }


def test_nothing_is_left_to_translate(catalogue: polib.POFile) -> None:
    assert not catalogue.metadata_is_fuzzy and "nplurals" in catalogue.metadata["Plural-Forms"]
    assert [entry.msgid for entry in catalogue if not all(meaning(entry))] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []


def test_the_same_values_are_filled_in(catalogue: polib.POFile) -> None:
    wrong = {
        entry.msgid: (wanted, found)
        for entry in catalogue
        for translated in meaning(entry)
        if (wanted := placeholders(entry.msgid_plural or entry.msgid)) != (found := placeholders(translated))
    }
    assert wrong == {}


def test_the_catalogue_has_what_the_code_says_and_nothing_else(catalogue: polib.POFile) -> None:
    translated = {key(entry) for entry in catalogue}
    said = set(said_in_python()) | set(said_in_templates())
    assert len(said) > 200
    assert said - translated == set(), "not in the catalogue"
    assert translated - said == set(), "no longer said anywhere"


def key(entry: polib.POEntry | polib.MOEntry) -> Said:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""


def meaning(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def said_in_python() -> Iterator[Said]:
    for source in (settings.BASE_DIR / "webchat").rglob("*.py"):
        tree = ast.parse(source.read_text("utf-8"))
        known = imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
                yield said(known[node.func.id], node.args)


def imported(tree: ast.Module) -> dict[str, str]:
    """The names by which a module calls the translation functions."""
    return {
        name.asname or name.name: name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if name.name in ARGUMENTS
    }


def said_in_templates() -> Iterator[Said]:
    for template in (settings.BASE_DIR / "templates").rglob("*.*"):
        for match in CALL_IN_TEMPLATE.finditer(templatize(template.read_text("utf-8"))):
            call = ast.parse(f"{match[0]})", mode="eval").body
            assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            yield said("gettext" if call.func.id == "_" else call.func.id, call.args)


def said(function: str, arguments: list[ast.expr]) -> Said:
    context, message, plural = (
        "" if place is None else ast.literal_eval(arguments[place]) for place in ARGUMENTS[function]
    )
    return context, message, plural
