"""How does it stand? What was used in a period, who is near the limit, what is in trouble, who waits."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from webchat.allocation import money
from webchat.allocation.models import Allocation, APIToken
from webchat.allocation.periods import Period
from webchat.backoffice.pages import needs, page
from webchat.backoffice.tables import Row, Table, Value
from webchat.backoffice.usage_report import Report
from webchat.backoffice.waiting import requests_waiting

NEAR = Decimal("0.8")
SOON = timedelta(days=14)


class Span(forms.Form):
    """From which day to which; this month, unless another is chosen."""

    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        choices=[
            ("month", gettext_lazy("this month")),
            ("last_month", gettext_lazy("last month")),
            ("week", gettext_lazy("this week")),
            ("day", gettext_lazy("today")),
            ("days", gettext_lazy("from … to …")),
        ],
    )
    first = forms.DateField(
        label=gettext_lazy("from"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    last = forms.DateField(
        label=gettext_lazy("to"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )

    def clean_first(self) -> date | None:
        first: date | None = self.cleaned_data["first"]
        if first and first > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        return first

    def clean_last(self) -> date | None:
        first: date | None = self.cleaned_data.get("first")
        last: date | None = self.cleaned_data["last"]
        if first and last and last < first:
            raise forms.ValidationError(_("It has to end after it begins."))
        return last

    @property
    def days(self) -> tuple[date, date]:
        """What is not valid counts as not chosen."""
        today = timezone.localdate()
        cleaned = self.cleaned_data if self.is_valid() else {}
        match cleaned.get("period"):
            case "day" | "week" as period:
                return Period(period).begins(today), today
            case "last_month":
                last = Period.MONTH.begins(today) - timedelta(days=1)
                return Period.MONTH.begins(last), last
            case "days":
                last = min(cleaned["last"] or today, today)
                return min(cleaned["first"] or Period.MONTH.begins(last), last), last
        return Period.MONTH.begins(today), today


@require_safe
@needs("allocation.view_usagerecord")
def dashboard(request: HttpRequest) -> HttpResponse:
    span = Span(request.GET)
    report = Report.between(*span.days)
    return page(
        request,
        "admin/dashboard.html",
        title=_("Dashboard"),
        span=span,
        report=report,
        cost=money.shown(report.total.cost),
        waiting=requests_waiting(),
        tables=[build(report) for build in TABLES.values()],
        query=request.GET.urlencode(),
    )


@require_safe
@needs("allocation.view_usagerecord")
def dashboard_csv(request: HttpRequest, name: str) -> HttpResponse:
    if not (build := TABLES.get(name)):
        raise Http404
    return build(Report.between(*Span(request.GET).days)).csv()


def near_limits(report: Report) -> Table:
    """Of what is in force now, whatever the period that is looked at."""
    rows = sorted((_near_row(one) for one in _near()), key=lambda row: row.share or 0, reverse=True)
    header = [
        _("Allocation"), _("Spent tokens"), _("Token limit"), _("Spent"), _("Cost limit"), _("Share"), _("Renewed"),
    ]  # fmt: skip
    note = _("Allocations in force of which 80 % or more is spent now.")
    return Table("limits", _("Near the limit"), header, rows, note, is_wide=True)


def _near() -> list[Allocation]:
    """The database leaves out most; what is left of an earlier period it cannot tell."""
    now = timezone.now()
    in_force: QuerySet[Allocation] = Allocation.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=now),
        Q(valid_until=None) | Q(valid_until__gt=now),
        revoked_at=None,
    )
    # Divided first, or the largest limits would not fit into an integer.
    much = Q(spent_tokens__gte=F("token_limit") / 5 * 4) | Q(spent_cost__gte=F("cost_limit") / 5 * 4)
    return [one for one in in_force.filter(much).select_related("user", "group") if share_of(one) >= NEAR]


def share_of(allocation: Allocation) -> Decimal:
    """How much of it is spent in this period, of one; of tokens or of money, what is more."""
    tokens, cost = allocation.spent
    shares = [Decimal(0)]
    if allocation.token_limit:
        shares.append(Decimal(tokens) / allocation.token_limit)
    if allocation.cost_limit:
        shares.append(cost / allocation.cost_limit)
    return max(shares)


def _near_row(allocation: Allocation) -> Row:
    tokens, cost = allocation.spent
    share = share_of(allocation)
    link = (
        reverse("admin:person", args=[allocation.user_id])
        if allocation.user_id
        else reverse("admin:allocation_allocation_change", args=[allocation.pk])
    )
    values: list[Value] = [
        allocation.holder, tokens, allocation.token_limit, cost, allocation.cost_limit, float(share), allocation.renews,
    ]  # fmt: skip
    return Row(values, link, share=min(int(share * 100), 100))


def troubled_tokens(report: Report) -> Table:
    """Those in use that the upstream refuses, or that soon end."""
    soon = timezone.localdate() + SOON
    rows = [
        Row(
            [str(token), token.last_error_sentence, token.last_error_at, token.expires_on],
            reverse("admin:allocation_apitoken_change", args=[token.pk]),
        )
        for token in APIToken.objects.filter(is_active=True)
        if token.is_in_trouble or (token.expires_on and token.expires_on <= soon)
    ]
    header = [_("API token"), _("Last error"), _("since"), _("Last day")]
    note = _("Refused by the AI service, expired, or expiring within 14 days.")
    return Table("trouble", _("API tokens that need you"), header, rows, note, is_wide=True)


TABLES: dict[str, Callable[[Report], Table]] = {
    "trouble": troubled_tokens,
    "limits": near_limits,
    "people": Report.by_person,
    "groups": Report.by_group,
    "models": Report.by_model,
    "tokens": Report.by_token,
    "speed": Report.speed,
    "sources": Report.by_source,
    "days": Report.by_day,
}
