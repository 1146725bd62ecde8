"""Who did what? The audit trail, for reading: filtered, searched, and taken along as a table."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from webchat.accounts.models import AuditEvent, User
from webchat.spreadsheet import csv_response

LONGEST_EXPORT = 100_000


def changes(form: forms.BaseForm) -> dict[str, list[Any]]:
    """Before and after, of each field that was changed. What is secret about them the audit trail itself leaves out."""
    return {
        name: [_initial(form, name), form.cleaned_data.get(name)]
        for name in form.changed_data
        if name in form.cleaned_data
    }


def _initial(form: forms.BaseForm, name: str) -> Any:
    field = form.fields[name]
    value = form.get_initial_for_field(field, name)
    if isinstance(field, forms.ModelMultipleChoiceField):
        return value
    if isinstance(field, forms.ModelChoiceField) and value and not isinstance(value, models.Model):
        return field.queryset.filter(pk=value).first() if field.queryset is not None else value
    return value


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "action", "about", "reason", "briefly"]
    list_filter = [
        "action",
        "at",
        ("actor", admin.RelatedOnlyFieldListFilter),
        ("person", admin.RelatedOnlyFieldListFilter),
    ]
    date_hierarchy = "at"
    search_fields = ["actor_name", "person_name", "target_label", "target_id", "reason", "address"]
    show_full_result_count = False
    fields = [
        "at",
        "by",
        "action",
        "target_type",
        "target_id",
        "target_label",
        "whom",
        "reason",
        "changed",
        "address",
    ]

    @admin.display(description=_("actor"), ordering="actor_name")
    def by(self, event: AuditEvent) -> str:
        return event.actor_name or gettext("the portal")

    @admin.display(description=_("person"), ordering="person_name")
    def whom(self, event: AuditEvent) -> str:
        return event.person_name

    @admin.display(description=_("about"), ordering="target_label")
    def about(self, event: AuditEvent) -> str:
        label, person = event.target_label, event.person_name
        return f"{label} ({person})" if label and person not in label else label or person

    @admin.display(description=_("details"))
    def briefly(self, event: AuditEvent) -> str:
        return Truncator("; ".join(described(event.details))).chars(100)

    @admin.display(description=_("details"))
    def changed(self, event: AuditEvent) -> str:
        return "\n".join(described(event.details))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.export))
        return [path("export/", view, name="accounts_auditevent_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """What the filters leave, as a table; that too is noted."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            events = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return self._refuse(request, _("There is no such filter."))
        if events.count() > LONGEST_EXPORT:
            text = _("These are too many events for one table. Choose fewer with the filters.")
            return self._refuse(request, text)
        table = csv_response("audit", HEADER, map(row, events.iterator()))
        details = {"filters": request.GET.dict()}
        AuditEvent.objects.note(cast(User, request.user), AuditEvent.Action.EXPORT, details=details)
        return table

    def _refuse(self, request: HttpRequest, text: Any) -> HttpResponse:
        self.message_user(request, text, messages.ERROR)
        return redirect("admin:accounts_auditevent_changelist")


def described(details: dict[str, Any]) -> Iterator[str]:
    """A line for each: what was changed, from what to what."""
    for name, value in details.items():
        is_change = isinstance(value, list) and len(value) == 2
        said = f"{_blank(value[0])} → {_blank(value[1])}" if is_change else _blank(value)
        yield f"{name}: {said}"


def _blank(value: Any) -> str:
    return "–" if value in (None, "", [], {}) else str(value)


HEADER = [
    "at", "actor", "action", "target type", "target id", "target",
    "person", "person id", "reason", "details", "address",
]  # fmt: skip


def row(event: AuditEvent) -> list[object]:
    return [
        event.at.isoformat(timespec="seconds"),
        event.actor_name,
        event.action,
        event.target_type,
        event.target_id,
        event.target_label,
        event.person_name,
        event.person_id,
        event.reason,
        "\n".join(described(event.details)),
        event.address,
    ]
