"""A table leaves as CSV: for every program readable, in none of them a formula."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.http import HttpResponse

from webchat.allocation.csv_export import FORMULA, csv_response


def read(response: HttpResponse) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def test_it_is_a_file_that_excel_reads_as_utf_8() -> None:
    response = csv_response("usage", ["人", "sum"], [["Ä, 你好 “x”", 3]])
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="usage.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert read(response) == [["人", "sum"], ["Ä, 你好 “x”", "3"]]


@pytest.mark.parametrize("begin", FORMULA)
def test_what_could_be_a_formula_is_text(begin: str) -> None:
    cell = f"{begin}cmd|' /C calc'!A0"
    assert read(csv_response("x", [cell], [[cell]])) == [[f"'{cell}"], [f"'{cell}"]]


def test_every_cell_is_quoted() -> None:
    content = csv_response("x", ["a"], [['1,"2"\n3', "; =1"]]).content.decode("utf-8-sig")
    assert content == '"a"\r\n"1,""2""\n3","; =1"\r\n'


def test_numbers_and_moments_can_be_reckoned_with() -> None:
    row = [
        -3,
        Decimal("-0.000000001"),
        Decimal("0E-9"),
        None,
        date(2026, 2, 1),
        datetime(2026, 2, 1, 3, 4, 5, 6, UTC),
    ]
    shown = ["-3", "-0.000000001", "0.000000000", "", "2026-02-01", "2026-02-01 03:04:05+00:00"]
    assert read(csv_response("x", [], [row]))[1] == shown
