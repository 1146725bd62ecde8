"""Who are you, and what is your role? The flags of Django's admin follow from the role, and from nothing else."""

import uuid
from typing import Any, ClassVar

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import models as auth
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models.audit import AuditEvent

PASSWORD_MAX_LENGTH = 128


class Role(models.TextChoices):
    """What each may do stands in `accounts/roles.py`."""

    OWNER = "owner", _("owner")
    ALLOCATOR = "allocator", _("allocator")
    AUDITOR = "auditor", _("auditor")
    MEMBER = "member", _("member")


class LastOwner(ValidationError):
    def __init__(self) -> None:
        super().__init__(_("This is the last owner of the portal. Make another person an owner first."))


class UserManager(auth.UserManager["User"]):
    use_in_migrations = False

    def _create_user_object(self, *args: Any, is_superuser: bool = False, **fields: Any) -> "User":
        """On the way of all that create people: whoever asks for a superuser gets an owner."""
        role = fields.pop("role", Role.OWNER if is_superuser else Role.MEMBER)
        user: User = super()._create_user_object(*args, **fields)  # type: ignore[misc]
        if role != Role.MEMBER:
            user.take_role(role)
        return user


class User(auth.AbstractUser):
    """A person of the team; signs in with the username or the e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Not editable: no form may take it along with other fields.
    role = models.CharField(
        _("role"), max_length=10, choices=Role.choices, default=Role.MEMBER, editable=False
    )

    objects: ClassVar[UserManager] = UserManager()

    class Meta(auth.AbstractUser.Meta):
        constraints = [
            # Sign-in ignores case: two people who differ in case only would lock each other out.
            models.UniqueConstraint(
                Lower("username"),
                name="username_unique_in_any_case",
                violation_error_message=_("A person with this username exists already."),
            ),
            # Whatever sets these flags by itself is refused by the database.
            models.CheckConstraint(
                name="owners_are_superusers",
                condition=models.Q(role="owner", is_superuser=True, is_staff=True)
                | models.Q(role__in=["allocator", "auditor"], is_superuser=False, is_staff=True)
                | models.Q(role="member", is_superuser=False),
            ),
        ]

    def check_password(self, raw_password: str | None) -> bool:
        return len(raw_password or "") <= PASSWORD_MAX_LENGTH and super().check_password(raw_password)

    def take_role(self, role: str) -> None:
        """The role with its flags; the caller saves. To change somebody's role, `set_role`."""
        self.role = Role(role)
        self.is_staff = self.role != Role.MEMBER
        self.is_superuser = self.role == Role.OWNER

    @transaction.atomic
    def set_role(self, role: str, *, by: "User | None", reason: str = "") -> None:
        """Only owners may; nobody (`by=None`) is whoever works at the command line.

        Raises `PermissionDenied`, `LastOwner`.
        """
        owners = self._lock_owners()
        if by is not None and by.pk not in owners:
            raise PermissionDenied
        before = User.objects.values_list("role", flat=True).get(pk=self.pk)
        if before == role:
            return
        if owners == {self.pk}:
            raise LastOwner
        self.take_role(role)
        self.save(update_fields=["role", "is_staff", "is_superuser"])
        details = {"role": [before, self.role]}
        AuditEvent.objects.note(by, AuditEvent.Action.ROLE_CHANGED, self, reason=reason, details=details)

    @transaction.atomic
    def deactivate(self, by: "User | None" = None, reason: str = "") -> None:
        """Ends this person's access at once; nothing is deleted but the sessions. Raises `LastOwner`."""
        if self._lock_owners() == {self.pk}:
            raise LastOwner
        self.is_active = False
        self.save(update_fields=["is_active"])
        self.end_sessions()
        AuditEvent.objects.note(by, AuditEvent.Action.PERSON_DEACTIVATED, self, reason=reason)

    @transaction.atomic
    def activate(self, by: "User | None" = None) -> None:
        self.is_active = True
        self.save(update_fields=["is_active"])
        details = {"is_active": [False, True]}
        AuditEvent.objects.note(by, AuditEvent.Action.PERSON_CHANGED, self, details=details)

    @transaction.atomic
    def remove(self, by: "User | None" = None) -> None:
        """With all that was theirs. Raises `LastOwner`."""
        if self._lock_owners() == {self.pk}:
            raise LastOwner
        AuditEvent.objects.note(by, AuditEvent.Action.PERSON_DELETED, self)
        self.end_sessions()
        self.delete()

    @property
    def is_last_owner(self) -> bool:
        return {self.pk} == set(
            User.objects.filter(role=Role.OWNER, is_active=True).values_list("pk", flat=True)
        )

    def _lock_owners(self) -> set[uuid.UUID]:
        """So that of two who demote each other one is too late."""
        owners = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
        return set(owners.order_by("pk").values_list("pk", flat=True))

    def end_sessions(self, except_key: str | None = None) -> None:
        """Signs out every browser of this person, except the one with the given session key."""
        get_adapter().end_sessions(
            UserSession.objects.filter(user_id=self.pk).exclude(session_key=except_key)
        )
