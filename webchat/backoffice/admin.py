"""What can an admin change? People and invitations; usage is for reading."""

from http import HTTPStatus
from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import Invitation, User
from webchat.allocation.models import UsageRecord
from webchat.backoffice import allocations, catalogue, tokens  # noqa: F401 (have pages of their own)

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
    list_filter = ["source", "outcome", "origin"]
    list_select_related = ["user"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
