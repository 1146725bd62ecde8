"""How does a table leave the portal? As CSV in which no spreadsheet finds a formula."""

import csv
from collections.abc import Iterable

from django.http import HttpResponse

# What Excel, LibreOffice and Google take for the beginning of one; the last four are what Chinese keyboards write.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_response(name: str, header: Iterable[object], rows: Iterable[Iterable[object]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    # By this mark Excel knows the encoding.
    response.write("\N{BYTE ORDER MARK}")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow(map(neutral, header))
    writer.writerows(map(neutral, row) for row in rows)
    return response
