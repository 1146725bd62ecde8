"""How does a table leave the portal? As a CSV file in which no spreadsheet finds a formula."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone

# What spreadsheets take for the beginning of a formula, or pass over before they look for one; the last ones are
# what keyboards for Chinese write.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_response(name: str, header: Iterable[object], rows: Iterable[Iterable[object]]) -> HttpResponse:
    """A file to download, `name` without its ending."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    # By this mark Excel knows the encoding.
    response.write("\N{BYTE ORDER MARK}")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow(map(_cell, header))
    writer.writerows(map(_cell, row) for row in rows)
    return response


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case int() | float():
            # A number below zero is no formula.
            return str(value)
        case datetime():
            return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
