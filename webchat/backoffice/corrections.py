"""How is a grant ended, and what counts as spent put right? On pages of their own, since both need a reason."""

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models import Allocation, LedgerEntry
from webchat.allocation.money import MOST, NOTHING, PLACES
from webchat.backoffice.pages import needs, page
from webchat.backoffice.tables import shown

MOST_TOKENS = 10**15


class RevokeForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)

    def __init__(self, allocation: Allocation, data: Any = None) -> None:
        super().__init__(data)
        self.allocation = allocation

    def do(self, actor: User) -> str:
        if not self.allocation.revoke(actor=actor, reason=self.cleaned_data["reason"]):
            raise ValidationError(_("Somebody else has revoked it meanwhile."))
        return _("Revoked. What is running is settled as usual.")


class AdjustForm(RevokeForm):
    tokens = forms.IntegerField(
        label=gettext_lazy("Tokens"),
        required=False,
        min_value=-MOST_TOKENS,
        max_value=MOST_TOKENS,
        help_text=gettext_lazy("Below zero gives something back, above zero takes something away."),
    )
    cost = forms.DecimalField(
        label=gettext_lazy("Money"),
        required=False,
        min_value=-MOST,
        max_value=MOST,
        max_digits=10 + PLACES,
        decimal_places=PLACES,
    )
    # The last correction that was there when the page was loaded: nothing is given back twice.
    seen = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ["tokens", "cost", "reason", "seen"]

    def __init__(self, allocation: Allocation, data: Any = None) -> None:
        super().__init__(allocation, data)
        self.initial["seen"] = self._last_correction()

    def _last_correction(self) -> int:
        adjusted = self.allocation.entries.filter(kind=LedgerEntry.Kind.ADJUST)
        return adjusted.order_by("-pk").values_list("pk", flat=True).first() or 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("tokens") and not cleaned.get("cost"):
            raise ValidationError(_("Enter tokens or money."))
        return cleaned

    @transaction.atomic
    def do(self, actor: User) -> str:
        # Locked until this is booked: of two who correct at once the second sees what the first one did.
        kept = Allocation.objects.select_for_update().get(pk=self.allocation.pk)
        if self.cleaned_data["seen"] != self._last_correction():
            raise ValidationError(_("It was corrected meanwhile. Load the page again before you save."))
        tokens, cost = self.cleaned_data["tokens"] or 0, self.cleaned_data["cost"] or NOTHING
        spent_tokens, spent_cost = kept.spent
        if spent_tokens + tokens < 0 or spent_cost + cost < 0:
            text = _("No more can be given back than was spent in this period: %(spent)s.")
            raise ValidationError(text % {"spent": f"{shown(spent_tokens)} · {shown(spent_cost)}"})
        reason = self.cleaned_data["reason"]
        kept.adjust(tokens=tokens, cost=Decimal(cost), actor=actor, reason=reason)
        details = {"tokens": tokens, "cost": str(cost)}
        AuditEvent.objects.note(
            actor, AuditEvent.Action.ADJUST, kept, person=kept.user, reason=reason, details=details
        )
        return _("Corrected. It stands in the ledger.")


TITLES = {RevokeForm: gettext_lazy("Revoke an allocation"), AdjustForm: gettext_lazy("Correct what is spent")}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("allocation.change_allocation")
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _correct(request, pk, RevokeForm)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("allocation.change_allocation")
def adjust(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _correct(request, pk, AdjustForm)


def _correct(request: HttpRequest, pk: UUID, form_class: type[RevokeForm]) -> HttpResponse:
    allocation = get_object_or_404(Allocation.objects.select_related("user", "group"), pk=pk)
    form = form_class(allocation, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            messages.success(request, form.do(cast(User, request.user)))
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return _back(allocation)
    return page(
        request,
        "admin/allocation/allocation/correct.html",
        title=TITLES[form_class],
        subtitle=str(allocation),
        form=form,
        allocation=allocation,
        spent=[shown(one) for one in allocation.spent],
    )


def _back(allocation: Allocation) -> HttpResponse:
    if allocation.user_id:
        return redirect("admin:person", allocation.user_id)
    return redirect("admin:allocation_allocation_change", allocation.pk)
