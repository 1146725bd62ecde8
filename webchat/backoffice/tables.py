"""What stands in a table of the admin's pages? The same on the page, for people, and in its CSV, for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.http import HttpResponse
from django.utils import formats, timezone

from webchat.allocation import money
from webchat.spreadsheet import csv_response

# So many rows are shown; the CSV has them all.
SHOWN = 12

Value = str | int | float | Decimal | date | datetime | None


class Cell(NamedTuple):
    text: str
    is_number: bool


@dataclass(frozen=True)
class Row:
    values: Sequence[Value]
    # Where the first value leads
    link: str = ""
    # Of a hundred, for a meter
    share: int | None = None

    @property
    def title(self) -> str:
        return shown(self.values[0])


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Row]
    note: str = ""
    most: int = field(default=SHOWN, kw_only=True)
    is_wide: bool = field(default=False, kw_only=True)

    @cached_property
    def _are_numbers(self) -> list[bool]:
        """Of each column, whether there are numbers in it."""
        return [
            any(isinstance(row.values[place], int | float | Decimal) for row in self.rows)
            for place in range(len(self.header))
        ]

    @property
    def heads(self) -> list[Cell]:
        return list(map(Cell, self.header, self._are_numbers))

    @property
    def first_rows(self) -> list[tuple[Row, list[Cell]]]:
        """With all cells but the first, which is the title of the row."""
        return [
            (row, list(map(Cell, map(shown, row.values), self._are_numbers))[1:])
            for row in self.rows[: self.most]
        ]

    @property
    def more(self) -> int:
        return max(len(self.rows) - self.most, 0)

    @property
    def has_meter(self) -> bool:
        return any(row.share is not None for row in self.rows)

    def csv(self) -> HttpResponse:
        return csv_response(self.name, self.header, (row.values for row in self.rows))


def shown(value: Value) -> str:
    """For people: money is a Decimal, a rate is a float, of one."""
    match value:
        case None | "":
            return "–"
        case Decimal():
            return money.shown(value)
        case float():
            return f"{formats.number_format(100 * value, 1)} %"
        case int():
            return formats.number_format(value, force_grouping=True)
        case datetime():
            return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
        case date():
            return formats.date_format(value)
    return str(value)
