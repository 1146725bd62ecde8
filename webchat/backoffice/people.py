"""Who is here, with which role, and who is invited? Each verb on a person's page is noted."""

from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from allauth.account.admin import EmailAddressAdmin as EmailAddresses
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from webchat.accounts.models import AuditEvent, Invitation, LastOwner, Role, User
from webchat.backoffice import breaking_glass
from webchat.backoffice.audit import changes
from webchat.backoffice.person import page_link

Action = AuditEvent.Action


ACCESS: tuple[Any, Any] = (_("Access"), {"fields": ["role", "is_active"]})


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "email", page_link, "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    readonly_fields = ["role", "is_active", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        ACCESS,
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    actions = ["deactivate", "remove_second_factors"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Not even the hash of a password for those who only look; for the others access has forms of its own."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        if self.has_change_permission(request, obj):
            return [fieldset for fieldset in fieldsets if fieldset is not ACCESS]
        return [(None, {"fields": ["username"]}), *fieldsets[1:]]

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleting is for the page of one person, which says what goes with it."""
        return {
            name: action for name, action in super().get_actions(request).items() if name != "delete_selected"
        }

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_last_owner)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person is counted: by its names one would read what was written."""
        _names, counts, missing, protected = super().get_deleted_objects(objs, request)
        return [str(person) for person in objs], counts, missing, protected

    def get_urls(self) -> list[Any]:
        def verb(name: str, view: Any) -> Any:
            guarded = self.admin_site.admin_view(require_POST(view))
            return path(f"<uuid:pk>/{name}/", guarded, name=f"accounts_user_{name}")

        return [
            verb("role", self.set_role),
            verb("deactivate", self.deactivate_one),
            verb("activate", self.activate_one),
            *breaking_glass.urls(),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        person = self.get_object(request, object_id)
        context = {**(extra_context or {}), "role_form": person and RoleForm(initial={"role": person.role})}
        return super().change_view(request, object_id, form_url, context)

    # The verbs

    def set_role(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        person, form = self._to_change(request, pk), RoleForm(request.POST)
        if not form.is_valid():
            self.message_user(request, _("Choose one of the roles."), messages.ERROR)
            return redirect("admin:accounts_user_change", pk)
        role, reason = form.cleaned_data["role"], form.cleaned_data["reason"]
        return self._do(
            request,
            person,
            lambda: person.set_role(role, by=cast(User, request.user), reason=reason),
            _("The role is “%(role)s” now.") % {"role": Role(role).label},
        )

    def deactivate_one(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        person = self._to_change(request, pk)
        return self._do(
            request,
            person,
            lambda: person.deactivate(by=cast(User, request.user)),
            _("Done. They can no longer sign in."),
        )

    def activate_one(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        person = self._to_change(request, pk)
        return self._do(
            request,
            person,
            lambda: person.activate(by=cast(User, request.user)),
            _("Done. They can sign in again."),
        )

    def _to_change(self, request: HttpRequest, pk: UUID) -> User:
        person = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        return person

    def _do(self, request: HttpRequest, person: User, verb: Any, done: Any) -> HttpResponse:
        try:
            verb()
        except LastOwner as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:accounts_user_change", person.pk)

    @admin.action(description=_("Deactivate and sign out everywhere"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            try:
                person.deactivate(by=request.user)
            except LastOwner as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
                return
        self.message_user(request, _("Done. They can no longer sign in."), messages.SUCCESS)

    @admin.action(description=_("Remove second factors and passkeys (a lost phone)"), permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            count, _each = Authenticator.objects.filter(user=person).delete()
            self._note(request, Action.PERSON_CHANGED, person, {"second factors": [count, 0]})
        self.message_user(request, _("Done. They sign in with the password alone now."), messages.SUCCESS)

    # What Django's own pages do

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            # At once, or an admin's own session would not fit the admin's new password until the end of the request.
            request.session.save()
            person = User.objects.get(pk=id)
            person.end_sessions(except_key=request.session.session_key)
            self._note(request, Action.PERSON_CHANGED, person, {"password": "set"})
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = Action.PERSON_CHANGED if change else Action.PERSON_ADDED
        self._note(request, action, obj, changes(form))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.remove(by=cast(User, request.user))

    def _note(self, request: HttpRequest, action: str, person: User, details: dict[str, Any]) -> None:
        AuditEvent.objects.note(cast(User, request.user), action, person, details=details)


admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class EmailAddressAdmin(EmailAddresses):  # type: ignore[misc]
    """Who changes where somebody's mail goes, changes who can set their password."""

    actions: ClassVar[list[Any]] = []

    def save_model(self, request: HttpRequest, obj: EmailAddress, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._note(request, obj, changes(form))

    def delete_model(self, request: HttpRequest, obj: EmailAddress) -> None:
        super().delete_model(request, obj)
        self._note(request, obj, {"email": [obj.email, None]})

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for address in queryset:
            self.delete_model(request, address)

    def _note(self, request: HttpRequest, address: EmailAddress, details: dict[str, Any]) -> None:
        AuditEvent.objects.note(
            cast(User, request.user), Action.PERSON_CHANGED, address, person=address.user, details=details
        )


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ["__str__", "invited_by", "created_at", "expires_at", "accepted_by", "revoked_at"]
    fields = ["email", "expires_at"]
    actions = ["revoke"]

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        user = cast(User, request.user)
        if change:
            super().save_model(request, obj, form, change)
            AuditEvent.objects.note(user, Action.INVITATION_CHANGED, obj, details=changes(form))
            return
        issued, token = Invitation.objects.issue(user, obj.email, expires_at=obj.expires_at)
        obj.pk = issued.pk
        # Shown once: only a digest of it is kept.
        text = _("Send this link, it is shown only now: %(link)s") % {"link": Invitation.link(token)}
        self.message_user(request, text, messages.WARNING)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for invitation in queryset:
            invitation.revoke(by=cast(User, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are revoked, and stay as what they were."""
        return False
