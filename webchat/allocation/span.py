"""Which days does a page about usage show? Two dates, chosen or by name; this month, unless something else is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LONGEST_DAYS = 366
# More bars than that are too thin to be told apart.
MOST_DAYS_APART = 62
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """From the first day to the last, both included."""

    first: date
    last: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """When it begins, and when the day after it does."""
        first, end = (
            timezone.make_aware(datetime.combine(day, time())) for day in (self.first, self.last + DAY)
        )
        return first, end

    @property
    def query(self) -> str:
        return urlencode({"first": self.first.isoformat(), "last": self.last.isoformat()})

    @property
    def file_name(self) -> str:
        return f"{self.first}--{self.last}"

    @property
    def is_by_month(self) -> bool:
        return (self.last - self.first).days >= MOST_DAYS_APART

    def steps(self) -> Iterator[date]:
        """The day with which each bar of a chart begins."""
        day = self.first
        while day <= self.last:
            if self.step_of(day) == day or day == self.first:
                yield self.step_of(day)
            day += DAY

    def step_of(self, day: date) -> date:
        return day.replace(day=1) if self.is_by_month else day

    def label(self, step: date) -> str:
        return formats.date_format(step, "YEAR_MONTH_FORMAT" if self.is_by_month else "MONTH_DAY_FORMAT")


@dataclass(frozen=True)
class Preset:
    name: str
    span: Span


def presets() -> list[Preset]:
    """The usual ones; the first is what is shown when nothing is chosen."""
    today = timezone.localdate()
    month = today.replace(day=1)
    next_month = (month + 32 * DAY).replace(day=1)
    last_month = (month - DAY).replace(day=1)
    return [
        Preset(_("This month"), Span(month, next_month - DAY)),
        Preset(_("Last month"), Span(last_month, month - DAY)),
        Preset(_("Last 7 days"), Span(today - 6 * DAY, today)),
        Preset(_("Last 30 days"), Span(today - 29 * DAY, today)),
        Preset(_("Last 12 months"), Span((month - 334 * DAY).replace(day=1), today)),
    ]


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        # What such a field takes, whatever the language of the page
        super().__init__(format="%Y-%m-%d")


class SpanForm(forms.Form):
    """Both days, or none for the usual ones."""

    first = forms.DateField(label=gettext_lazy("From"), widget=DayInput, input_formats=["%Y-%m-%d"])
    last = forms.DateField(label=gettext_lazy("To"), widget=DayInput, input_formats=["%Y-%m-%d"])

    def __init__(self, data: QueryDict) -> None:
        usual = presets()[0].span
        days = {"first": usual.first.isoformat(), "last": usual.last.isoformat()}
        super().__init__({name: data.get(name, default).strip() for name, default in days.items()})
        self._usual = usual

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        days = (cleaned["last"] - cleaned["first"]).days
        if days < 0:
            self.add_error("last", _("The last day is before the first."))
        elif days >= LONGEST_DAYS:
            self.add_error("last", _("Choose at most %(days)d days.") % {"days": LONGEST_DAYS})
        elif cleaned["first"].year < 2000 or cleaned["last"].year > 9000:
            self.add_error("first", _("There is nothing so far away."))
        return cleaned

    @property
    def span(self) -> Span:
        """The days that were chosen; the usual ones when those cannot be shown."""
        if not self.is_valid():
            return self._usual
        return Span(self.cleaned_data["first"], self.cleaned_data["last"])
