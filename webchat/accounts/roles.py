"""Who may do what? Permissions follow from the role alone; what stands in Django's own tables counts for nothing."""

from functools import cache
from typing import Any

from django.apps import apps

from webchat.accounts.models import Role, User

VIEW = ("view",)
ALL = ("view", "add", "change", "delete")

# Models (`*`: each of the room), and what may be done with them. Owners may do everything; that each page of the
# admin still decides what it offers at all: nobody changes the books. The gravest verb, reading what others wrote,
# is `accounts.add_breakglass`.
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    Role.ALLOCATOR: {
        "accounts.user": VIEW,
        "allocation.*": VIEW,
        "allocation.allocation": ALL,
        "allocation.chosentoken": ALL,
        "allocation.allocationrequest": ("view", "change"),
        "auth.group": ALL,
    },
    Role.AUDITOR: {
        "accounts.auditevent": VIEW,
        "accounts.user": VIEW,
        "allocation.*": VIEW,
        "auth.group": VIEW,
    },
    Role.MEMBER: {},
}


@cache
def permissions_of(role: str) -> frozenset[str]:
    """As `accounts.view_user`."""
    table = {"*": ALL} if role == Role.OWNER else TABLE.get(role, {})
    return frozenset(
        f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
        for model in apps.get_models()
        for key in ("*", f"{model._meta.app_label}.*", model._meta.label_lower)
        for verb in table.get(key, ())
    )


class RolePermissions:
    """For a backend: what Django's admin and all others who ask `has_perm` are answered."""

    def get_all_permissions(self, user: User, obj: Any = None) -> set[str]:
        return set(permissions_of(user.role)) if user.is_active and not user.is_anonymous else set()

    def get_user_permissions(self, user: User, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user)

    def get_group_permissions(self, user: User, obj: Any = None) -> set[str]:
        return set()

    async def aget_all_permissions(self, user: User, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user)

    async def aget_user_permissions(self, user: User, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user)

    async def aget_group_permissions(self, user: User, obj: Any = None) -> set[str]:
        return set()
