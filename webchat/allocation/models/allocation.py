"""Who may spend which token?"""

import uuid
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.api_token import APIToken, fingerprint, usable, validate_base_url


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def open_to(self, user: User) -> Self:
        """What this person may use, their own before everyone's."""
        mine_or_everyones = models.Q(user=user) | models.Q(user=None)
        return (
            self.filter(mine_or_everyones, usable("api_token__"))
            .select_related("api_token")
            .order_by(models.F("user").asc(nulls_last=True))
        )

    @transaction.atomic
    def import_from_environment(self) -> APIToken | None:
        """Keep `UPSTREAM_API_KEY` as the token of everyone, unless an admin has given everyone another one."""
        secret = settings.UPSTREAM_API_KEY
        if not secret or not settings.UPSTREAM_BASE_URL:
            return None
        token = APIToken.objects.filter(fingerprint=fingerprint(secret)).first()
        if token is None:
            token = APIToken.objects.all().add(
                secret, label="UPSTREAM_API_KEY", base_url=settings.UPSTREAM_BASE_URL
            )
        # Address and secret both come from the operator, so the token may follow its address.
        validate_base_url(settings.UPSTREAM_BASE_URL)
        token.base_url, token.is_imported = settings.UPSTREAM_BASE_URL, True
        token.save(update_fields=["base_url", "is_imported"])
        self.filter(user=None, api_token__is_imported=True).update(api_token=token)
        self.get_or_create(user=None, defaults={"api_token": token})
        return token


class Allocation(models.Model):
    """Who may use which token. Without a person it is everyone's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="allocation",
        verbose_name=_("person"),
        help_text=_("Leave empty to let everyone use the token who has none of their own."),
    )
    api_token = models.ForeignKey(
        APIToken, models.PROTECT, related_name="allocations", verbose_name=_("API token")
    )
    created_at = models.DateTimeField(_("granted"), auto_now_add=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(user=None),
                name="one_allocation_for_everyone",
                violation_error_message=_("There is an allocation for everyone already; change that one."),
            )
        ]

    def __str__(self) -> str:
        everyone = _("Everyone")
        return f"{self.user or everyone} → {self.api_token}"
