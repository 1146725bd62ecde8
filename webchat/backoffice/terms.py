"""On which terms is something granted? What the form that grants and the one that asks *What if?* have in common."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from webchat.allocation.models import ModelInfo


class TermsForm(forms.ModelForm):
    """What is granted."""

    allowed_models = forms.MultipleChoiceField(
        label=_("models"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: every model that is offered."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.allowed_models
        offered = ModelInfo.objects.offered().values_list("name", flat=True)
        field = cast(forms.MultipleChoiceField, self.fields["allowed_models"])
        field.choices = [(name, name) for name in dict.fromkeys([*offered, *kept])]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("token_limit", "cost_limit"):
            if cleaned.get(name) == 0:
                self.add_error(name, _("Leave it empty for no limit. To end a grant, revoke it."))
        return cleaned
