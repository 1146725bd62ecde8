"""Is this the right password, and is it one that we take?"""

from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from asgiref.sync import sync_to_async
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext as _

from webchat import rows
from webchat.accounts.models import PASSWORD_MAX_LENGTH, BreakGlass, User
from webchat.accounts.roles import RolePermissions


class MinimumLengthValidator(password_validation.MinimumLengthValidator):
    def get_error_message(self) -> str:
        # Django 5.2's own sentence has no Chinese.
        return _("This password is too short. It needs %(count)d characters or more.") % {
            "count": self.min_length
        }


class MaximumLengthValidator:
    """Refuses passwords so long that hashing them would be work for an attacker's sake."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > PASSWORD_MAX_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password can have at most %(count)d characters.") % {"count": PASSWORD_MAX_LENGTH}


class PasswordBackend(RolePermissions, AuthenticationBackend):  # type: ignore[misc]
    """Signs in by username or e-mail with the same work and the same answer for unknown,
    deactivated and mistaken people, so that nobody learns from it who is here."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        **_other: object,
    ) -> User | None:
        name = email or username
        if not name or not password or len(password) > PASSWORD_MAX_LENGTH:
            return None
        people = people_called(name)
        if not people:
            User().set_password(password)
        right = [person for person in people if person.check_password(password)]
        return next((person for person in right if person.is_active), None)

    def get_user(self, user_id: UUID) -> User | None:
        """With whether there is something to tell, so that no page has to ask for that."""
        return next(iter(_person(user_id)), None)

    async def aget_user(self, user_id: UUID) -> User | None:
        return await sync_to_async(self.get_user)(user_id)


_person = rows.Query(
    lambda pk: User.objects.filter(pk=pk, is_active=True).annotate(
        has_notices=Exists(BreakGlass.objects.unseen().filter(person=OuterRef("pk")))
    ),
    UUID(int=0),
)


def people_called(name: str) -> list[User]:
    """Nearly always one. A username may look like somebody's address, so both are tried."""
    by_username = get_user_by_username(name)
    by_email = filter_users_by_email(name, prefer_verified=True, for_login=True) if "@" in name else []
    return list(dict.fromkeys([*([by_username] if by_username else []), *by_email]))
