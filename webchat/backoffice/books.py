"""What stands in the books? Every call and every entry of the ledger: to be read, filtered and taken along."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from webchat.accounts.models import User
from webchat.allocation.models import APIToken, LedgerEntry, ModelInfo, UsageRecord
from webchat.backoffice.tables import shown
from webchat.spreadsheet import csv_response

# A longer list of names is none to choose from; then there is the search.
MOST_CHOICES = 100


class Book(admin.ModelAdmin):
    """For reading, and for a table of what the filters leave."""

    change_list_template = "admin/book_change_list.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    longest_export = 100_000
    # Which columns the table has, as `values_list` names them
    export_fields: Iterable[str] = ()
    # Whom the search looks for
    person_field = "user"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.export))
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        export_url = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        return super().changelist_view(request, {**(extra_context or {}), "export_url": export_url})

    def export(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return self._refuse(request, _("There is no such filter."))
        if rows.count() > self.longest_export:
            text = _("These are too many rows for one table. Choose fewer with the filters.")
            return self._refuse(request, text)
        # Without what is only for the list: the related objects that it shows.
        values = rows.select_related(None).values_list(*self.export_fields)
        return csv_response(self.opts.model_name or "", self.export_fields, values.iterator(chunk_size=5000))

    def _refuse(self, request: HttpRequest, text: Any) -> HttpResponse:
        self.message_user(request, text, messages.ERROR)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the people first, which are few: a million rows cannot be looked through."""
        if not search_term:
            return queryset, False
        named = Q(username__icontains=search_term) | Q(email__icontains=search_term)
        people = list(User.objects.filter(named).values_list("pk", flat=True)[:MOST_CHOICES])
        return queryset.filter(**{f"{self.person_field}__in": people}), False


class OneOf(admin.SimpleListFilter):
    """What is looked up is the parameter; the choices are read from a table that is small."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        try:
            return queryset.filter(**{self.parameter_name or "": value}) if value else queryset
        except (ValueError, ValidationError) as error:
            raise IncorrectLookupParameters(error) from error

    def among(self, rows: QuerySet[Any]) -> list[tuple[str, str]]:
        some = list(rows[:MOST_CHOICES])
        return [(str(one.pk), str(one)) for one in some]


class WhenFilter(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("date")


class PersonFilter(OneOf):
    title, parameter_name = _("person"), "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.among(User.objects.order_by("username"))


class HolderFilter(PersonFilter):
    parameter_name = "allocation__user"


class GroupFilter(OneOf):
    title, parameter_name = _("group"), "user__groups"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.among(Group.objects.order_by("name"))


class ModelFilter(OneOf):
    title, parameter_name = _("model"), "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ModelInfo.objects.values_list("name", flat=True)[:MOST_CHOICES]]


class TokenFilter(OneOf):
    title, parameter_name = _("API token"), "api_token"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.among(APIToken.objects.all())


class ActorFilter(OneOf):
    title, parameter_name = _("who did it"), "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.among(User.objects.filter(is_staff=True).order_by("username"))


@admin.register(UsageRecord)
class UsageRecordAdmin(Book):
    list_display = ["created_at", "user", "source", "model", "outcome", "tokens", "cost", "origin"]
    list_filter = [
        PersonFilter, GroupFilter, ModelFilter, TokenFilter, "source", "outcome", "origin", ("created_at", WhenFilter),
    ]  # fmt: skip
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    export_fields = (
        "id", "created_at", "settled_at", "user__username", "allocation_id", "api_token__label", "source", "model",
        "answered_model", "outcome", "error_code", "origin", "n", "prompt_tokens", "completion_tokens", "characters",
        "seconds", "images", "spent_cost", "first_token_ms", "duration_ms",
    )  # fmt: skip

    @admin.display(description=_("tokens"))
    def tokens(self, record: UsageRecord) -> str:
        return shown(record.total_tokens)

    @admin.display(description=_("cost"))
    def cost(self, record: UsageRecord) -> str:
        return shown(record.spent_cost)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Book):
    list_display = ["created_at", "kind", "allocation", "spent", "reserved", "call", "actor", "reason"]
    list_filter = ["kind", HolderFilter, ActorFilter, ("created_at", WhenFilter)]
    list_select_related = ["allocation__user", "allocation__group", "actor"]
    search_fields = ["allocation__user__username", "allocation__user__email"]
    person_field = "allocation__user"
    export_fields = (
        "id", "created_at", "kind", "allocation_id", "allocation__user__username", "allocation__group__name",
        "spent_tokens", "spent_cost", "reserved_tokens", "reserved_cost", "record_id", "actor__username", "reason",
        "terms",
    )  # fmt: skip

    @admin.display(description=_("spent"))
    def spent(self, entry: LedgerEntry) -> str:
        return _amounts(entry.spent_tokens, entry.spent_cost)

    @admin.display(description=_("reserved"))
    def reserved(self, entry: LedgerEntry) -> str:
        return _amounts(entry.reserved_tokens, entry.reserved_cost)

    @admin.display(description=_("call"))
    def call(self, entry: LedgerEntry) -> str:
        if entry.record_id is None:
            return "–"
        address = reverse("admin:allocation_usagerecord_change", args=[entry.record_id])
        return format_html('<a href="{}">{}</a>', address, str(entry.record_id)[:8])


def _amounts(tokens: int, cost: Decimal) -> str:
    return f"{shown(tokens)} · {shown(cost)}" if tokens or cost else "–"
