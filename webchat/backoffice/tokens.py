"""How does an admin look after what was bought? A secret goes in and never comes out; who depends on it is shown."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models import APIToken, fingerprint
from webchat.allocation.probing import probe
from webchat.allocation.reach import Reach
from webchat.backoffice.audit import changes
from webchat.backoffice.meanwhile import MeanwhileForm

Action = AuditEvent.Action


class APITokenForm(MeanwhileForm):
    """The secret goes in and never comes out: the field is always empty."""

    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("As bought. Leave empty to keep the one that is stored."),
    )

    class Meta:
        model = APIToken
        fields = ["label", "base_url", "is_active", "vendor", "price_paid", "bought_on", "expires_on", "note"]

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"].strip()
        if not secret and not self.instance.sealed:
            raise ValidationError(_("Enter the token."))
        if secret:
            self.instance.replace_secret(secret)
            others = APIToken.objects.exclude(pk=self.instance.pk)
            if others.filter(fingerprint=fingerprint(secret)).exists():
                raise ValidationError(_("This token is in the vault already."))
        return secret

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # What the page says that it was counts for nothing here.
        is_elsewhere = cleaned.get("base_url") != self.initial.get("base_url")
        if is_elsewhere and not cleaned.get("secret") and not self.instance._state.adding:
            # Or an address could be changed to make the portal hand over the secret.
            self.add_error("secret", _("For another base URL the token has to be entered again."))
        return cleaned


@admin.register(APIToken)
class APITokenAdmin(admin.ModelAdmin):
    form = APITokenForm
    list_display = ["label", "ends_in", "state", "used_by", "expires_on", "vendor", "base_url"]
    search_fields = ["label", "vendor", "last_four", "note"]
    fields = [
        "label", "base_url", "secret", "is_active", "expires_on", "vendor", "price_paid", "bought_on", "note",
    ]  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who only looks needs no field to type a secret into."""
        may_change = self.has_change_permission(request, obj)
        return [name for name in self.fields if name != "secret" or may_change]

    def save_model(self, request: HttpRequest, obj: APIToken, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for action in done_to_token(form) if change else [Action.TOKEN_ADDED]:
            self._note(request, action, obj, changes(form))

    def delete_model(self, request: HttpRequest, obj: APIToken) -> None:
        self._note(request, Action.TOKEN_DELETED, obj, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset:
            self.delete_model(request, token)

    def _note(self, request: HttpRequest, action: str, token: APIToken, details: dict[str, Any]) -> None:
        AuditEvent.objects.note(cast(User, request.user), action, token, details=details)

    @admin.display(description=_("ends in"))
    def ends_in(self, token: APIToken) -> str:
        return f"…{token.last_four}"

    @admin.display(description=_("state"))
    def state(self, token: APIToken) -> Any:
        return token.last_error_sentence if token.is_usable and token.is_in_trouble else token.state

    @admin.display(description=_("allocations"), ordering="users")
    def used_by(self, token: Any) -> int:
        return int(token.users)

    def get_queryset(self, request: HttpRequest) -> Any:
        in_force = Count("allocations", filter=Q(allocations__revoked_at=None))
        return super().get_queryset(request).annotate(users=in_force)

    def get_urls(self) -> list[Any]:
        def of_one_token(name: str, view: Any) -> Any:
            guarded = self.admin_site.admin_view(require_POST(view))
            return path(f"<uuid:pk>/{name}/", guarded, name=f"allocation_apitoken_{name}")

        return [
            of_one_token("test", self.test),
            of_one_token("hand_over", self.hand_over),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        token = self.get_object(request, object_id)
        context = extra_context or {}
        if token:
            others = APIToken.objects.usable().exclude(pk=token.pk)
            context = {**context, "reach": Reach.of(token), "others": others}
        return super().change_view(request, object_id, form_url, context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        token = self.get_object(request, object_id)
        if token and self.has_delete_permission(request, token) and (reason := Reach.of(token).bonds):
            self.message_user(request, reason, messages.ERROR)
            return redirect("admin:allocation_apitoken_change", token.pk)
        return super().delete_view(request, object_id, extra_context)

    def test(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        token = self._to_change(request, pk)
        findings = async_to_sync(probe)(token, cast(User, request.user))
        well = all(finding.is_good for finding in findings)
        self._note(request, Action.TOKEN_TESTED, token, {"works": well})
        for finding in findings:
            level = messages.SUCCESS if finding.is_good else messages.ERROR
            self.message_user(request, finding.sentence, level)
        return redirect("admin:allocation_apitoken_change", pk)

    def hand_over(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        token = self._to_change(request, pk)
        form = HandOverForm(request.POST, token=token)
        if form.is_valid():
            other = form.cleaned_data["other"]
            with transaction.atomic():
                count = token.hand_over(other, actor=cast(User, request.user))
                details = {"to": other, "allocations": count}
                self._note(request, Action.TOKEN_HANDED_OVER, token, details)
            text = ngettext(
                "%(count)d allocation uses %(other)s now.", "%(count)d allocations use %(other)s now.", count
            )
            self.log_change(request, token, text % {"count": count, "other": other})
            self.message_user(request, text % {"count": count, "other": other}, messages.SUCCESS)
        else:
            self.message_user(request, " ".join(map(str, form.errors["other"])), messages.ERROR)
        return redirect("admin:allocation_apitoken_change", pk)

    def _to_change(self, request: HttpRequest, pk: UUID) -> APIToken:
        token = get_object_or_404(APIToken, pk=pk)
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        return token


def done_to_token(form: forms.BaseForm) -> Iterator[str]:
    changed = set(form.changed_data)
    if "secret" in changed:
        yield Action.TOKEN_REPLACED
    if "is_active" in changed and not form.cleaned_data["is_active"]:
        yield Action.TOKEN_DISABLED
        changed.discard("is_active")
    if changed - {"secret"}:
        yield Action.TOKEN_CHANGED


class HandOverForm(forms.Form):
    other = forms.ModelChoiceField(
        APIToken.objects.none(),
        error_messages={
            "required": _("Choose the token that is to be used instead."),
            "invalid_choice": _("Choose a token that is in use and has not expired."),
        },
    )

    def __init__(self, *args: Any, token: APIToken, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["other"])
        field.queryset = APIToken.objects.usable().exclude(pk=token.pk)
