"""A table that leaves the portal holds no formula, whatever somebody called themselves."""

import csv
import io
from decimal import Decimal

import pytest

from webchat.spreadsheet import csv_response, neutral


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_formula_becomes_text(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [("a=b", "a=b"), ("", ""), (None, ""), (0, "0"), (Decimal("1.50"), "1.50"), ("你好", "你好")],
)
def test_other_cells_stay_as_they_are(cell: object, text: str) -> None:
    assert neutral(cell) == text


def test_everything_is_quoted_and_comes_back_as_it_was() -> None:
    response = csv_response("people", ["name", "=x"], [['say "hi", you', "two\nlines"], [-1, None]])
    text = response.content.decode()
    assert text.startswith('\N{BYTE ORDER MARK}"name","\'=x"\r\n')
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["name", "'=x"],
        ['say "hi", you', "two\nlines"],
        ["'-1", ""],
    ]
