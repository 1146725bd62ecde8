"""How tall is each bar? Numbers become rectangles in view-box units; a template draws, a style sheet colours them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import formats

Number = int | Decimal
# A bar with the gap beside it; all are whole numbers, which are written alike in every language.
STEP, GAP, HEIGHT = 20, 4, 200


@dataclass(frozen=True)
class Bar:
    label: str
    value: Number
    # The value for people
    shown: str
    # Of the largest, 0 to 100: for bars that lie
    share: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    # The largest value for people, at the upper end of the scale
    most: str
    width: int
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not any(bar.value for bar in self.bars)


def grouped(value: Number) -> str:
    return formats.number_format(value, force_grouping=True)


def bars(rows: Sequence[tuple[str, Number]], show: Callable[..., str] = grouped) -> Chart:
    """A bar for each label, in this order; what is below zero has none."""
    most = max((value for _label, value in rows), default=0)
    drawn = [_bar(number, label, value, most, show) for number, (label, value) in enumerate(rows)]
    return Chart(drawn, most=show(max(most, 0)), width=STEP * max(len(rows), 1))


def _bar(number: int, label: str, value: Number, most: Number, show: Callable[..., str]) -> Bar:
    # What is little is still seen.
    height, share = (max(1, round(scale * value / most)) if value > 0 else 0 for scale in (HEIGHT, 100))
    return Bar(
        label,
        value,
        show(value),
        share,
        x=number * STEP + GAP // 2,
        y=HEIGHT - height,
        width=STEP - GAP,
        height=height,
    )
