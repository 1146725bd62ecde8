"""What if this were granted, or cost that much? The last thirty days are replayed before an admin saves."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from webchat.accounts.models import User
from webchat.allocation import charts
from webchat.allocation.charts import Chart
from webchat.allocation.models import Allocation, ModelInfo, UsageDay
from webchat.allocation.models.model_info import Prices
from webchat.allocation.replay import Reason, Replay, Tally, replay_since
from webchat.backoffice.pages import needs, page
from webchat.backoffice.tables import Row, Table, Value, shown
from webchat.backoffice.terms import TermsForm

DAYS = 30
TAKEN = ("prompt_tokens", "completion_tokens", "characters", "seconds", "images")


class Proposed(forms.ModelForm):
    """Checked field by field and never saved; whatever else another form sends along is not looked at."""

    def _post_clean(self) -> None:
        # Django's own asks in addition whether it could be saved beside all others.
        construct_instance(self, self.instance, self._meta.fields, ())
        try:
            self.instance.clean_fields(exclude=self._get_validation_exclusions())  # type: ignore[attr-defined]
        except ValidationError as errors:
            self._update_errors(errors)  # type: ignore[attr-defined]


class ProposedTerms(Proposed, TermsForm):
    """Those about which a replay can tell something."""

    class Meta:
        model = Allocation
        fields = [
            "token_limit", "cost_limit", "period", "allowed_models", "requests_per_minute", "answers_at_once",
            "max_tokens", "max_n",
        ]  # fmt: skip


class ProposedPrices(Proposed):
    class Meta:
        model = ModelInfo
        fields = [field.name for field in Prices._meta.fields]


class HolderForm(forms.Form):
    """Whose calls are looked at while nothing is granted yet."""

    user = forms.ModelChoiceField(User.objects.all(), required=False, widget=forms.HiddenInput)
    group = forms.ModelChoiceField(Group.objects.all(), required=False, widget=forms.HiddenInput)

    def concerned(self) -> tuple[Q, str]:
        """A condition, and who that is."""
        cleaned = self.cleaned_data if self.is_valid() else {}
        if user := cleaned.get("user"):
            return Q(user=user), str(user)
        if group := cleaned.get("group"):
            return Q(user__in=User.objects.filter(groups=group)), str(group)
        return Q(), _("Everyone")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("allocation.view_allocation", "allocation.view_usagerecord")
def what_if_granted(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """Nothing is written, also when the form of an allocation is sent here."""
    sent = request.POST or request.GET
    allocation = get_object_or_404(Allocation, pk=pk) if pk else None
    holder = HolderForm(sent)
    concerned, whose = (Q(allocation=pk), allocation.holder) if allocation else holder.concerned()
    form = ProposedTerms(sent if "period" in sent else None, instance=allocation)
    result = replay_since(_first_day(), concerned, form.instance) if form.is_valid() else None
    return page(
        request,
        "admin/what_if_granted.html",
        title=_("What if?"),
        subtitle=whose,
        pk=pk,
        form=form,
        holder=None if allocation else holder,
        days=DAYS,
        result=result,
        saved=result and [shown(result.total.saved_tokens), shown(result.total.saved_cost)],
        people=result and _stopped_people(result),
        chart=result and _stopped_by_day(result),
    )


def _first_day() -> date:
    return timezone.localdate() - timedelta(days=DAYS)


def _stopped_people(result: Replay) -> Table:
    header = [
        _("Person"), _("Calls"), _("Stopped"), _("Shortened"), _("First stopped"), _("Last stopped"), _("Why"),
        _("Saved tokens"), _("Saved cost"),
    ]  # fmt: skip
    concerned = [(pk, tally) for pk, tally in result.people.items() if tally.stopped or tally.shortened]
    concerned.sort(key=lambda item: (item[1].stopped, item[1].saved_cost), reverse=True)
    names = User.objects.in_bulk([pk for pk, _tally in concerned if pk])
    rows = [_tally_row(names.get(pk) if pk else None, tally) for pk, tally in concerned]
    return Table("stopped", _("Whom it would have stopped"), header, rows, most=len(rows))


def _tally_row(person: User | None, tally: Tally) -> Row:
    reasons = ", ".join(f"{Reason(reason).label} ({count})" for reason, count in tally.reasons.most_common())
    values: list[Value] = [
        str(person or _("(deleted)")), tally.calls, tally.stopped, tally.shortened, tally.first_stopped_at,
        tally.last_stopped_at, reasons, tally.saved_tokens, tally.saved_cost,
    ]  # fmt: skip
    return Row(values, reverse("admin:person", args=[person.pk]) if person else "")


def _stopped_by_day(result: Replay) -> Chart:
    days = [_first_day() + timedelta(days=number) for number in range(DAYS + 1)]
    return charts.bars([(formats.date_format(day), result.stopped_on[day]) for day in days])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("allocation.view_modelinfo", "allocation.view_usagerecord")
def what_if_priced(request: HttpRequest, pk: int) -> HttpResponse:
    """What the calls of the last days would have cost. Added up from the sums of days: a price times a sum is exact."""
    model = get_object_or_404(ModelInfo, pk=pk)
    sent = request.POST or request.GET
    form = ProposedPrices(sent if "prompt_price" in sent else None, instance=model)
    tables = _priced(model) if form.is_valid() else []
    return page(
        request,
        "admin/what_if_priced.html",
        title=_("What if?"),
        subtitle=str(model),
        form=form,
        days=DAYS,
        tables=tables,
    )


def _priced(model: ModelInfo) -> list[Table]:
    days = UsageDay.objects.between(_first_day(), timezone.localdate())
    of_model = [_Cost(row, model) for row in days.filter(model=model.name).summed_by("user_id")]
    names = User.objects.in_bulk([cost.user_id for cost in of_model if cost.user_id])
    people = [cost.row(str(names.get(cost.user_id, _("(deleted)")))) for cost in of_model]
    models = [
        _Cost(row, model if row["model"] == model.name else None).row(row["model"])
        for row in days.summed_by("model")
    ]
    header = [_("Calls"), _("Cost"), _("With these prices"), _("Difference")]
    return [
        Table("models", _("Models"), [_("Model"), *header], models, most=len(models), is_wide=True),
        Table("people", _("People"), [_("Person"), *header], people, most=len(people), is_wide=True),
    ]


class _Cost:
    """Old and new; without new prices it costs what it did."""

    def __init__(self, row: dict[str, Any], prices: Prices | None) -> None:
        self.user_id = row.get("user_id")
        self.calls: int = row["calls_sum"]
        self.old: Decimal = row["cost_sum"]
        self.new = prices.cost(**{name: row[f"{name}_sum"] for name in TAKEN}) if prices else self.old

    def row(self, name: str) -> Row:
        return Row([name, self.calls, self.old, self.new, self.new - self.old])
