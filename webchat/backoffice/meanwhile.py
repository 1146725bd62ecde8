"""Has somebody else changed this since it was looked at? Of two who edit at once the second is told."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class MeanwhileForm(forms.ModelForm):
    """Carries along what each field was when the page was made; in lists, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        for name, field in self.fields.items():
            is_told = not self.is_bound or self.add_initial_prefix(name) in self.data
            field.show_hidden_initial = is_told and name in self.initial

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        changed = [str(field.label) for name, field in self.fields.items() if self._is_other_now(name, field)]
        if changed and self.has_changed():
            text = _(
                "Somebody else has changed this meanwhile: %(fields)s. Load the page again before you save."
            )
            raise ValidationError(text % {"fields": ", ".join(changed)})
        return cleaned

    def _is_other_now(self, name: str, field: forms.Field) -> bool:
        if not field.show_hidden_initial:
            return False
        seen = field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        return field.has_changed(self.get_initial_for_field(field, name), seen)
