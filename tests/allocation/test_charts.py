"""Bars of a chart: as tall as their numbers say, drawn without a style of their own."""

from decimal import Decimal

from django.template.loader import render_to_string
from django.utils import translation

from webchat.allocation import charts, money


def test_the_largest_fills_the_chart_and_the_others_their_part() -> None:
    chart = charts.bars([("Mon", 50), ("Tue", 200), ("Wed", 0)])
    assert [bar.height for bar in chart.bars] == [50, 200, 0]
    assert [bar.y + bar.height for bar in chart.bars] == [chart.height] * 3
    assert [bar.share for bar in chart.bars] == [25, 100, 0]
    assert chart.most == "200"


def test_bars_stand_side_by_side_within_the_chart() -> None:
    chart = charts.bars([(str(day), day) for day in range(31)])
    ends = [(bar.x, bar.x + bar.width) for bar in chart.bars]
    assert all(end < begin for (_, end), (begin, _) in zip(ends, ends[1:], strict=False))
    assert ends[0][0] >= 0 and ends[-1][1] <= chart.width


def test_little_is_not_nothing() -> None:
    assert [bar.height for bar in charts.bars([("a", 10**12), ("b", 1), ("c", -1)]).bars] == [200, 1, 0]


def test_nothing_at_all_is_no_chart() -> None:
    for rows in ([], [("Mon", 0), ("Tue", Decimal(0))]):
        assert charts.bars(rows).is_empty


def test_money_is_shown_as_money() -> None:
    chart = charts.bars(
        [("gpt-4", Decimal("1234.5")), ("gpt-3.5-turbo", Decimal("0.000004"))], show=money.shown
    )
    assert [bar.shown for bar in chart.bars] == ["1,234.50 USD", "0.0000040 USD"]


def test_it_is_drawn_without_inline_styles_and_with_every_name_escaped() -> None:
    with translation.override("de"):
        chart = charts.bars([("<b>", 12_345), *((f"{day}", day) for day in range(100))])
        html = render_to_string(
            "allocation/_bar_chart.html", {"chart": chart, "title": "By day", "unit": "tokens"}
        )
    assert 'viewBox="0 0 2020 200"' in html and "<b>" not in html
    assert "style=" not in html and "<script" not in html
    assert 'role="img" aria-label="By day"' in html
