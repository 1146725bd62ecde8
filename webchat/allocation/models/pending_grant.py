"""What will somebody get who is invited, but not here yet? It becomes an allocation when they come."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import Invitation, User
from webchat.allocation.models.allocation import Allocation


class PendingGrantQuerySet(models.QuerySet["PendingGrant"]):
    @transaction.atomic
    def keep(self, user: User) -> None:
        """Give this person what the invitations that they have accepted promised, once."""
        theirs = self.select_for_update(of=("self",)).filter(invitation__accepted_by=user, kept_at=None)
        for promise in theirs.select_related("group", "promised_by"):
            if promise.group:
                user.groups.add(promise.group)
            if promise.terms:
                Allocation.objects.grant(
                    user=user,
                    actor=promise.promised_by,
                    reason=promise.reason,
                    **terms_from_json(promise.terms),
                )
            self.filter(pk=promise.pk).update(kept_at=timezone.now())


class PendingGrant(models.Model):
    """Membership of a group, an allocation, or both, promised with an invitation; it ends when that does."""

    invitation = models.OneToOneField(
        Invitation, models.CASCADE, related_name="pending_grant", verbose_name=_("invitation")
    )
    group = models.ForeignKey(Group, models.SET_NULL, null=True, related_name="+", verbose_name=_("group"))
    # As `Allocation.terms` gives them; empty when there is no allocation to come.
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    promised_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("granted by")
    )
    reason = models.TextField(_("reason"), blank=True)
    kept_at = models.DateTimeField(_("granted"), null=True)

    objects = PendingGrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant to come")
        verbose_name_plural = _("grants to come")

    def __str__(self) -> str:
        return str(self.invitation)


def terms_from_json(terms: dict[str, Any]) -> dict[str, Any]:
    """As fields keep them: `Allocation.terms` the other way round."""
    fields = {name: Allocation._meta.get_field(name) for name in terms}
    return {name: fields[name].to_python(value) for name, value in terms.items()}  # type: ignore[union-attr]
