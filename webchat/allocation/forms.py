"""What is asked of whoever asks for more?"""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.allocation.models import AllocationRequest
from webchat.allocation.models.request_step import LEAST_COST, LONGEST_TEXT, MOST_TOKENS
from webchat.allocation.money import MOST


class MoreForm(forms.Form):
    """How much, until when. The verbs check the rest, for whoever says them."""

    tokens = forms.IntegerField(label=_("Tokens"), required=False, min_value=1, max_value=MOST_TOKENS)
    cost = forms.DecimalField(required=False, min_value=LEAST_COST, max_value=MOST, decimal_places=2)
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Without a day it lasts until it is used up."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cost"].label = f"{_('Money')} ({settings.CURRENCY})"
        self.fields["until"].widget.attrs["min"] = timezone.localdate().isoformat()

    @property
    def more(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("tokens", "cost", "until")}

    def add_refusal(self, error: ValidationError) -> None:
        """Why a verb did not do it, beside the field that this is about, if there is one."""
        by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        for name, errors in by_field.items():
            self.add_error(name if name in self.fields else None, ValidationError(errors))


class AskForm(MoreForm):
    reason = forms.CharField(
        label=_("What for"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )


def wanted(request: AllocationRequest) -> dict[str, object]:
    """What was asked, to begin a form with."""
    return {
        "tokens": request.tokens,
        "cost": request.cost and request.cost.quantize(LEAST_COST),
        "until": request.until and request.until.isoformat(),
        "reason": request.reason,
    }
