"""What can an admin say about models? What they cost and can do, and which are offered; the list is the upstream's."""

from typing import Any, cast

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from webchat.accounts.models import AuditEvent, User
from webchat.allocation import catalogue
from webchat.allocation.models import Allocation, ModelInfo
from webchat.backoffice import audit
from webchat.backoffice.meanwhile import MeanwhileForm

PRICES = ("prompt_price", "completion_price", "character_price", "minute_price", "image_price")

IN_CURRENCY = format_lazy(
    _("In {currency}. 0 stands for “not known”; then it costs nothing."), currency=settings.CURRENCY
)


class ModelForm(MeanwhileForm):
    class Meta:
        model = ModelInfo
        fields = "__all__"


class RowForm(MeanwhileForm):
    """In the list, where there is little room."""

    class Meta:
        widgets = {
            "label": forms.TextInput(attrs={"size": 14}),
            "prompt_price": forms.NumberInput(attrs={"class": "vIntegerField"}),
            "completion_price": forms.NumberInput(attrs={"class": "vIntegerField"}),
        }


@admin.register(ModelInfo)
class ModelInfoAdmin(admin.ModelAdmin):
    form = ModelForm
    change_list_template = "admin/allocation/modelinfo/change_list.html"
    list_display = ["name", "is_enabled", "prompt_price", "completion_price", "label", "kind", "is_available"]
    list_editable = ["is_enabled", "prompt_price", "completion_price", "label"]
    list_filter = ["is_enabled", "is_available", "kind"]
    search_fields = ["name", "label", "owned_by"]
    readonly_fields = ["name", "owned_by", "is_available", "seen_at"]
    fieldsets = [
        (None, {"fields": ["name", "owned_by", "is_available", "seen_at", "is_enabled", "label", "kind"]}),
        (
            _("Prices"),
            {"fields": PRICES, "description": IN_CURRENCY},
        ),
        (_("Abilities"), {"fields": ["context_length", "has_vision", "has_system_role"]}),
        (
            _("Rules of its own"),
            {
                "fields": ["temperature_low", "temperature_high", "max_tokens", "max_n", "one_answer_below"],
                "description": _("Only where the model takes less than the API allows."),
            },
        ),
    ]

    class Media:
        css = {"all": ["css/admin/models.css"]}

    def save_model(self, request: HttpRequest, obj: ModelInfo, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        actor = cast(User, request.user)
        AuditEvent.objects.note(actor, AuditEvent.Action.MODEL_CHANGED, obj, details=audit.changes(form))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # It would come back with the upstream's next list, and without its prices.
        return False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{**kwargs, "form": RowForm})

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.synchronise))
        return [path("sync/", view, name="allocation_modelinfo_sync"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {
            **(extra_context or {}),
            "unpriced": uncounted_models(),
            "may_ask": self.has_change_permission(request),
        }
        return super().changelist_view(request, context)

    def synchronise(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        try:
            changes = async_to_sync(catalogue.ask_any)()
        except catalogue.CannotAsk as problem:
            self.message_user(request, str(problem), messages.ERROR)
        else:
            for sentence in changes.sentences:
                self.message_user(request, sentence, messages.SUCCESS)
        return redirect("admin:allocation_modelinfo_changelist")


def uncounted_models() -> list[ModelInfo]:
    """Those that may be used at will by people with a budget in money, since nobody said what they cost."""
    if not Allocation.objects.filter(revoked_at=None).exclude(cost_limit=None).exists():
        return []
    return list(ModelInfo.objects.offered().without_price())
