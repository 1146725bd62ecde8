"""When does a budget begin anew? Each day, Monday or first of the month, in the portal's time zone; or never."""

from datetime import date, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Period(models.TextChoices):
    DAY = "day", _("each day")
    WEEK = "week", _("each week")
    MONTH = "month", _("each month")
    ONCE = "once", _("once")

    def begins(self, today: date | None = None) -> date:
        """The first day of the period that is running. What is granted once has run from the beginning of time."""
        today = today or timezone.localdate()
        match self:
            case Period.DAY:
                return today
            case Period.WEEK:
                return today - timedelta(days=today.weekday())
            case Period.MONTH:
                return today.replace(day=1)
        return date.min

    def renews(self, today: date | None = None) -> date | None:
        """The first day of the next one."""
        begins = self.begins(today)
        match self:
            case Period.DAY:
                return begins + timedelta(days=1)
            case Period.WEEK:
                return begins + timedelta(days=7)
            case Period.MONTH:
                return (begins + timedelta(days=32)).replace(day=1)
        return None
