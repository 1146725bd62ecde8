"""Where do we differ from allauth? Invitations, one answer for all refusals, sessions that end."""

from collections.abc import Iterable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import respond_429
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm, EmailField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from webchat.accounts.invitations import brought, spend
from webchat.accounts.models import AuditEvent, User
from webchat.accounts.passwords import people_called
from webchat.accounts.sessions import SessionStore

MISTAKEN = _("That username or e-mail and password do not belong together.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": MISTAKEN,
        "email_password_mismatch": MISTAKEN,
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise ImmediateHttpResponse(respond_429(request)) from error

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        for person in people_called(credentials.get("email") or credentials.get("username") or ""):
            if person.is_staff:
                AuditEvent.objects.note(None, AuditEvent.Action.STAFF_SIGN_IN_FAILED, person)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        if user.is_staff:
            methods = [record["method"] for record in get_authentication_records(request, user)]
            details = {"with": ", ".join(methods)}
            AuditEvent.objects.note(user, AuditEvent.Action.STAFF_SIGNED_IN, user, details=details)

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_staff:
            AuditEvent.objects.note(request.user, AuditEvent.Action.STAFF_SIGNED_OUT, request.user)
        super().logout(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """With a passkey or single sign-on; a password never comes this far."""
        messages.error(request, _("Signing in did not work."))
        return redirect(settings.LOGIN_URL)

    def is_safe_url(self, url: str) -> bool:
        # allauth also trusts every host of ALLOWED_HOSTS, which for us holds localhost.
        return url_has_allowed_host_and_scheme(
            url, {self.request.get_host()}, require_https=self.request.is_secure()
        )

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return brought(request) is not None

    def clean_email(self, email: str) -> str:
        # Form fields take 320 characters, our columns 254.
        EmailField(max_length=254).run_validators(email)
        return email

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        if commit:
            # Hashing is done by now: the database is not locked meanwhile.
            with transaction.atomic():
                user.save()
                self.take_in(request, user)
        return user

    def take_in(self, request: HttpRequest, user: User) -> None:
        """What belongs to coming in, in the same transaction as the person. Rooms above add what is theirs."""
        spend(request, user)

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        own = self.request.user.pk == user.pk
        if own:
            # At once, not at the end of the request: until then this session, too, would not fit the password.
            update_session_auth_hash(self.request, user)
            self.request.session.save()
        user.end_sessions(except_key=self.request.session.session_key if own else None)


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        for session in sessions:
            # Not `session.end()`, which deletes the row without a word, as if it had been lost.
            SessionStore(session.session_key).flush()
            session.delete()


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        email = sociallogin.user.email
        if email and people_called(email):
            return False
        invitation = brought(request)
        return settings.OIDC_SIGNUP_OPEN or bool(invitation and invitation.is_for(email))

    def save_user(self, request: HttpRequest, sociallogin: Any, form: BaseForm | None = None) -> User:
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            self.take_in(request, user)
        return user

    def take_in(self, request: HttpRequest, user: User) -> None:
        spend(request, user)
