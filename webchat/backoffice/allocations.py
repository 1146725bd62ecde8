"""How does an admin grant? Every save is a verb of the allocation, with a reason, and leaves an entry in the ledger."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation import money
from webchat.allocation.models import Allocation, ChosenToken, LedgerEntry
from webchat.backoffice.terms import TermsForm


class AllocationForm(TermsForm):
    reason = forms.CharField(label=_("reason"), required=False, max_length=500)
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Allocation
        fields = ["user", "group", *Allocation.TERMS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.instance._state.adding:
            # Locked until this is saved: of two who save at once the second sees what the first one did.
            kept = Allocation.objects.select_for_update().get(pk=self.instance.pk)
            if kept.version != cleaned.get("seen_version"):
                raise ValidationError(
                    _(
                        "Somebody else has changed this allocation meanwhile. Load the page again before you save."
                    )
                )
            if kept.revoked_at:
                raise ValidationError(_("This allocation was revoked. Grant a new one."))
        return cleaned


class ChosenTokens(admin.TabularInline):
    model = ChosenToken
    extra = 1
    verbose_name_plural = _(
        "API tokens, in the order in which they are tried; without any, all that are in use"
    )


@admin.register(Allocation)
class AllocationAdmin(admin.ModelAdmin):
    form = AllocationForm
    inlines = [ChosenTokens]
    list_display = ["holder", "token_limit", "money_limit", "period", "spent_tokens", "money_spent", "ends"]
    list_filter = ["period", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "group"]
    search_fields = ["user__username", "user__email", "group__name", "note"]
    autocomplete_fields = ["user"]
    fieldsets = [
        (
            None,
            {"fields": ["user", "group", "token_limit", "cost_limit", "period", "reason", "seen_version"]},
        ),
        (
            _("Limits"),
            {"fields": ["allowed_models", "requests_per_minute", "answers_at_once", "max_tokens", "max_n"]},
        ),
        (_("Validity"), {"fields": ["valid_from", "valid_until", "position", "note"]}),
    ]

    @admin.display(description=_("money"), ordering="cost_limit")
    def money_limit(self, allocation: Allocation) -> str:
        return "–" if allocation.cost_limit is None else money.shown(allocation.cost_limit)

    @admin.display(description=_("spent"), ordering="spent_cost")
    def money_spent(self, allocation: Allocation) -> str:
        return money.shown(allocation.spent_cost)

    @admin.display(description=_("ends"))
    def ends(self, allocation: Allocation) -> Any:
        return allocation.revoked_at or allocation.valid_until

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Another holder is another allocation: what was spent stays with whom it was granted to.
        return ["user", "group"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Allocation, form: Any, change: bool) -> None:
        obj.version += change
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        kind = LedgerEntry.Kind.CHANGE if change else LedgerEntry.Kind.GRANT
        form.instance.note_terms(kind, cast(User, request.user), form.cleaned_data["reason"])
