"""What can an admin change? People, invitations, upstream tokens and who may use them; usage is for reading."""

from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from webchat.accounts.models import Invitation, User
from webchat.allocation.models import APIToken, UsageRecord, fingerprint
from webchat.allocation.probing import probe
from webchat.backoffice import allocations  # noqa: F401 (registers its pages)

# Groups come with allocations. allauth's own pages would show second factors and their secrets.
for model in (Group, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    actions = ["deactivate", "remove_second_factors"]

    @admin.action(description=_("Deactivate and sign out everywhere"))
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            person.deactivate()
        self.message_user(request, _("Done. They can no longer sign in."), messages.SUCCESS)

    @admin.action(description=_("Remove second factors and passkeys (a lost phone)"))
    def remove_second_factors(self, request: HttpRequest, queryset: Any) -> None:
        Authenticator.objects.filter(user__in=queryset).delete()
        self.message_user(request, _("Done. They sign in with the password alone now."), messages.SUCCESS)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            # At once, or an admin's own session would not fit the admin's new password until the end of the request.
            request.session.save()
            User.objects.get(pk=id).end_sessions(except_key=request.session.session_key)
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            obj.end_sessions()


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ["__str__", "invited_by", "created_at", "expires_at", "accepted_by", "revoked_at"]
    fields = ["email", "expires_at"]
    actions = ["revoke"]

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        issued, token = Invitation.objects.issue(cast(User, request.user), obj.email)
        Invitation.objects.filter(pk=issued.pk).update(expires_at=obj.expires_at)
        obj.pk = issued.pk
        # Shown once: only a digest of it is kept.
        text = _("Send this link, it is shown only now: %(link)s") % {"link": Invitation.link(token)}
        self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for invitation in queryset:
            invitation.revoke()


class APITokenForm(forms.ModelForm):
    """The secret goes in and never comes out: the field is always empty."""

    secret = forms.CharField(
        label=_("secret"),
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
        is_elsewhere = self.instance.sealed and "base_url" in self.changed_data
        if is_elsewhere and not cleaned.get("secret") and not self.instance._state.adding:
            # Or an address could be changed to make the portal hand over the secret.
            self.add_error("secret", _("For another base URL the token has to be entered again."))
        return cleaned


@admin.register(APIToken)
class APITokenAdmin(admin.ModelAdmin):
    form = APITokenForm
    list_display = [
        "label", "ends_in", "vendor", "base_url", "is_active", "expires_on", "last_error_sentence", "created_at",
    ]  # fmt: skip
    fields = [
        "label", "base_url", "secret", "is_active", "expires_on", "vendor", "price_paid", "bought_on", "note",
    ]  # fmt: skip

    @admin.display(description=_("ends in"))
    def ends_in(self, token: APIToken) -> str:
        return f"…{token.last_four}"

    @admin.display(description=_("last error"))
    def last_error_sentence(self, token: APIToken) -> str:
        return token.last_error_sentence

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
            context = {**context, "reach": token.reach(), "others": others}
        return super().change_view(request, object_id, form_url, context)

    def test(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        token = self._to_change(request, pk)
        for finding in async_to_sync(probe)(token, cast(User, request.user)):
            level = messages.SUCCESS if finding.is_good else messages.ERROR
            self.message_user(request, finding.sentence, level)
        return redirect("admin:allocation_apitoken_change", pk)

    def hand_over(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        token = self._to_change(request, pk)
        form = HandOverForm(request.POST, token=token)
        if form.is_valid():
            other = form.cleaned_data["other"]
            count = token.hand_over(other)
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


@admin.register(UsageRecord)
class UsageRecordAdmin(admin.ModelAdmin):
    list_display = [
        "created_at",
        "user",
        "source",
        "model",
        "outcome",
        "prompt_tokens",
        "completion_tokens",
        "origin",
    ]
    # No date hierarchy: for it every record there is would be looked at.
    list_filter = ["created_at", "source", "outcome", "origin"]
    list_select_related = ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
