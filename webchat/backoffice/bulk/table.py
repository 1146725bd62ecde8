"""What does a CSV say? Its lines by the names of their columns, or one sentence why it cannot be read."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

COLUMNS = (
    "email", "username", "group", "token_limit", "cost_limit", "period", "models", "valid_until", "note",
)  # fmt: skip
MOST_BYTES = 1024 * 1024
# Each is an invitation or a grant of its own, and whoever asked waits for all of them.
MOST_LINES = 1000
# What a spreadsheet takes for the beginning of a formula; the last are those of Chinese keyboards.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Line:
    number: int
    cells: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    columns: list[str]
    lines: list[Line]
    # Not UTF-8: the reader should look twice at names.
    is_gbk: bool


def read(data: bytes) -> Table:
    """Raises `ValidationError`."""
    text, is_gbk = _decoded(data)
    header, _newline, _rest = text.lstrip("\r\n").partition("\n")
    delimiter = max(",;\t", key=lambda mark: len(set(_names(header.split(mark))) & set(COLUMNS)))
    lines: list[Line] = []
    try:
        rows = _rows(text, delimiter)
        columns = _columns(next(rows, (0, []))[1])
        for number, row in rows:
            if len(lines) == MOST_LINES:
                raise ValidationError(_too_many())
            lines.append(_line(number, columns, row))
    except csv.Error as error:
        raise ValidationError(
            _("This is no well-formed CSV: %(error)s. Save the table anew as CSV.") % {"error": error}
        ) from None
    if not lines:
        raise ValidationError(_("There is a header, but no line below it."))
    return Table(columns, lines, is_gbk)


def too_large() -> str:
    return _("This file is too large: a list of people has at most 1 MB. Nothing was done.")


def _too_many() -> str:
    text = _("There are more than %(most)s lines. Split the list; that many go at once. Nothing was done.")
    return text % {"most": formats.number_format(MOST_LINES, force_grouping=True)}


def _decoded(data: bytes) -> tuple[str, bool]:
    if len(data) > MOST_BYTES:
        raise ValidationError(too_large())
    if data.startswith(EXCEL):
        raise ValidationError(_("This is a workbook of a spreadsheet. Save it as CSV, and choose that file."))
    is_gbk = False
    try:
        is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text, is_gbk = data.decode("gb18030"), True
        except UnicodeDecodeError:
            raise ValidationError(
                _("This file is neither UTF-8 nor GBK. Save it as “CSV UTF-8”, and choose that file.")
            ) from None
    if "\0" in text:
        raise ValidationError(_("This is no text. Save the table as CSV, and choose that file."))
    if not text.strip():
        raise ValidationError(_("This is empty. Choose a file, or paste its lines."))
    return text, is_gbk


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each that is not blank, with the number of its first line."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    before = 0
    for row in reader:
        if any(cell.strip() for cell in row):
            yield before + 1, [cell.strip() for cell in row]
        before = reader.line_num


def _names(cells: list[str]) -> list[str]:
    return [cell.strip().strip('"').lower().replace(" ", "_") for cell in cells]


def _columns(header: list[str]) -> list[str]:
    names = _names(header)
    values = {"known": ", ".join(COLUMNS)}
    if unknown := [name for name in names if name not in COLUMNS]:
        values["unknown"] = ", ".join(f"“{name[:40]}”" for name in unknown[:5])
        text = _("The first line names columns that are not known: %(unknown)s. There are: %(known)s.")
        raise ValidationError(text % values)
    if len(set(names)) < len(names):
        raise ValidationError(_("The first line names a column twice."))
    if not {"email", "username"} & set(names):
        raise ValidationError(_("The first line has to name the columns, “email” or “username” among them."))
    return names


def _line(number: int, columns: list[str], row: list[str]) -> Line:
    cells = dict(zip(columns, row, strict=False))
    if len(row) != len(columns):
        text = _("There are %(found)d cells, but %(wanted)d columns.")
        return Line(number, cells, text % {"found": len(row), "wanted": len(columns)})
    formulas = [name for name, cell in cells.items() if cell.startswith(FORMULA) and not _is_number(cell)]
    if formulas:
        text = _("“%(column)s” begins like a formula of a spreadsheet.")
        return Line(number, cells, text % {"column": formulas[0]})
    return Line(number, cells)


def _is_number(cell: str) -> bool:
    """-5 is no formula; what is wrong with it is said elsewhere."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
