"""Who did what, to what, and why? One entry for each action; nothing of it is ever changed or deleted."""

import math
import re
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NoReturn

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.redaction import redact

if TYPE_CHECKING:
    from webchat.accounts.models.user import User

LONGEST_TEXT = 1000
# What stands under such a name is never written down, only that there was something.
SECRET_NAME = re.compile(r"secret|sealed|passw|digest|fingerprint|api_?key|credential", re.IGNORECASE)
NOT_KEPT = "•••"


class AppendOnly(TypeError):
    def __init__(self) -> None:
        super().__init__("The audit trail is only written on")


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def note(
        self,
        actor: "User | None",
        action: "AuditEvent.Action | str",
        target: models.Model | None = None,
        *,
        person: "User | None" = None,
        reason: str = "",
        details: dict[str, Any] | None = None,
    ) -> "AuditEvent":
        """Write down what was done, in the transaction in which it is done.

        `person` is whom it concerns, by default the target, if that is somebody. In `details` stands what was
        changed: `{"role": ["member", "owner"]}`, before and after: two in a list are that.
        """
        concerned: Any = person or (target if _is_person(target) else None)
        return self.create(
            actor=actor,
            actor_name=_text(actor or "", 150),
            action=AuditEvent.Action(action),
            target_type=target._meta.label_lower if target else "",
            target_id=str(target.pk) if target else "",
            target_label=_text(target or "", 200),
            person=concerned,
            person_name=_text(concerned or "", 150),
            reason=_text(reason),
            details=without_secrets(details or {}),
            address=_address(),
        )

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


def to_a_person(**options: Any) -> "models.ForeignKey[User | None, User | None]":
    """That outlives the person: forgetting whom it was would be a change, which the database refuses."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        **options,
    )


class AuditEvent(models.Model):
    """One thing that somebody did. Names are kept as text, as they were then."""

    class Action(models.TextChoices):
        GRANT = "grant", _("allocation granted")
        CHANGE = "change", _("allocation changed")
        REVOKE = "revoke", _("allocation revoked")
        ADJUST = "adjust", _("usage adjusted")
        REQUEST = "request", _("asked for more")
        REQUEST_GRANTED = "request_granted", _("request granted")
        REQUEST_CHANGED = "request_changed", _("request granted with changes")
        REQUEST_REFUSED = "request_refused", _("request refused")
        TOKEN_ADDED = "token_added", _("API token added")
        TOKEN_CHANGED = "token_changed", _("API token changed")
        TOKEN_REPLACED = "token_replaced", _("API token's secret replaced")
        TOKEN_DISABLED = "token_disabled", _("API token taken out of use")
        TOKEN_TESTED = "token_tested", _("API token tested")
        TOKEN_HANDED_OVER = "token_handed_over", _("API token handed over")
        TOKEN_DELETED = "token_deleted", _("API token deleted")
        TOKEN_REFUSED = "token_refused", _("API token refused by the service")
        MODEL_CHANGED = "model_changed", _("model changed")
        PERSON_INVITED = "person_invited", _("person invited")
        INVITATION_CHANGED = "invitation_changed", _("invitation changed")
        PERSON_JOINED = "person_joined", _("invitation accepted")
        PERSON_ADDED = "person_added", _("person added")
        PERSON_CHANGED = "person_changed", _("person changed")
        PERSON_DEACTIVATED = "person_deactivated", _("person deactivated")
        PERSON_DELETED = "person_deleted", _("person deleted")
        ROLE_CHANGED = "role_changed", _("role changed")
        STAFF_SIGNED_IN = "staff_signed_in", _("staff signed in")
        STAFF_SIGN_IN_FAILED = "staff_sign_in_failed", _("staff sign-in failed")
        STAFF_SIGNED_OUT = "staff_signed_out", _("staff signed out")
        BREAK_GLASS_OPENED = "break_glass_opened", _("break-glass opened")
        BREAK_GLASS_READ = "break_glass_read", _("conversation read")
        BREAK_GLASS_CLOSED = "break_glass_closed", _("break-glass closed")
        EXPORT = "export", _("exported")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    actor = to_a_person(verbose_name=_("actor"))
    actor_name = models.CharField(_("actor"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=30, choices=Action.choices, db_index=True)
    target_type = models.CharField(_("kind of target"), max_length=100, blank=True)
    target_id = models.CharField(_("id of the target"), max_length=64, blank=True)
    target_label = models.CharField(_("target"), max_length=200, blank=True)
    person = to_a_person(verbose_name=_("person"))
    person_name = models.CharField(_("person"), max_length=150, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    details = models.JSONField(_("details"), default=dict)
    address = models.GenericIPAddressField(_("address"), null=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.target_label or self.person_name or '–'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


def _is_person(target: models.Model | None) -> bool:
    return target is not None and target._meta.label == settings.AUTH_USER_MODEL


def without_secrets(value: Any, name: str = "") -> Any:
    """As JSON that may be kept: nothing under the name of a secret, and nothing that looks like one."""
    if SECRET_NAME.search(name):
        return NOT_KEPT
    if isinstance(value, dict):
        return {_text(key): without_secrets(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset | models.QuerySet):
        return [without_secrets(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or is_number else _text(value)


def _text(value: object, length: int = LONGEST_TEXT) -> str:
    # PostgreSQL takes no zero bytes.
    return redact(str(value).replace("\0", ""))[:length]


def _address() -> str | None:
    """From where the request comes, if this happens in one."""
    if (request := context.request) is None:
        return None
    try:
        return str(ip_address(get_adapter(request).get_client_ip(request)))
    except (ValueError, PermissionDenied, ImproperlyConfigured):
        return None
