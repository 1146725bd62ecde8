"""Who may spend which tokens, how much, for which models, until when?"""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation.models.api_token import APIToken, fingerprint, validate_base_url
from webchat.allocation.models.budget import Budget
from webchat.allocation.models.ledger import LedgerEntry
from webchat.allocation.statements import Query
from webchat.upstream import rules

EXAMPLE = UUID(int=0)


class ChangedMeanwhile(Exception):
    """Somebody else has changed this allocation since it was looked at."""


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def concerning(self, user: User) -> Self:
        """Granted to this person, to one of their groups, or to everyone, in the order in which they are tried."""
        groups = User.groups.through.objects.filter(user=user).values("group")
        mine = models.Q(user=user) | models.Q(group__in=groups) | models.Q(user=None, group=None)
        scope = models.Case(
            models.When(user__isnull=False, then=0), models.When(group__isnull=False, then=1), default=2
        )
        return self.filter(mine, revoked_at=None).order_by(scope, "position", "created_at")

    def open_to(self, user: User) -> list["Allocation"]:
        """What this person may use now. What everyone may use is for those who have nothing of their own."""
        chosen: dict[UUID, list[APIToken]] = {}
        for token in _chosen_by_those_concerning(user.pk):
            chosen.setdefault(UUID(str(vars(token)["allocation_pk"])), []).append(token)
        concerning = _concerning(user.pk)
        for one in concerning:
            one.chosen_tokens = chosen.get(one.pk, [])
        usable = [one for one in concerning if one.is_in_force and one.tokens]
        return [one for one in usable if not one.is_everyones] or usable

    @transaction.atomic
    def grant(
        self, *, tokens: Iterable[APIToken] = (), actor: User | None = None, reason: str = "", **terms: Any
    ) -> "Allocation":
        """A new allocation, with its entry in the ledger. Without `tokens` any are used. Raises `ValidationError`."""
        allocation = Allocation(**terms)
        allocation.full_clean()
        allocation.save()
        allocation.choose_tokens(tokens)
        allocation.note_terms(LedgerEntry.Kind.GRANT, actor, reason)
        return allocation

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
        everyones = self.filter(user=None, group=None, revoked_at=None)
        imported = ChosenToken.objects.filter(allocation__in=everyones, api_token__is_imported=True)
        imported.exclude(allocation__chosen__api_token=token).update(api_token=token)
        if not self.filter(user=None, group=None).exists():
            self.grant(tokens=[token], reason="UPSTREAM_API_KEY")
        return token


class Allocation(Budget):
    """A grant to a person, to a group, or to everyone who has none. A group's is shared by its members."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="allocations",
        verbose_name=_("person"),
        help_text=_("Without person and group it is for everyone who has no allocation of their own."),
    )
    group = models.ForeignKey(
        Group,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="allocations",
        verbose_name=_("group"),
        help_text=_("Its members share the budget."),
    )
    api_tokens = models.ManyToManyField(
        APIToken, through="ChosenToken", related_name="allocations", verbose_name=_("API tokens")
    )
    position = models.PositiveSmallIntegerField(
        _("order"),
        default=0,
        help_text=_("Of several allocations the one with the lowest number is tried first."),
    )
    allowed_models = models.JSONField(
        _("models"), default=list, blank=True, help_text=_("Leave empty for every model that is offered.")
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    answers_at_once = models.PositiveIntegerField(
        _("answers at once"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    max_tokens = models.PositiveIntegerField(
        _("largest max_tokens"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    max_n = models.PositiveSmallIntegerField(
        _("largest n"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(int(rules.N.high))],
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("granted"), default=timezone.now, editable=False)
    # Counts changes of the terms, so that of two admins who edit at once the second is told.
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = AllocationQuerySet.as_manager()

    TERMS = (
        "token_limit", "cost_limit", "period", "position", "allowed_models", "requests_per_minute", "answers_at_once",
        "max_tokens", "max_n", "valid_from", "valid_until", "note",
    )  # fmt: skip

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(user=None, group=None, revoked_at=None),
                name="one_allocation_for_everyone",
                violation_error_message=_("There is an allocation for everyone already; change that one."),
            ),
            models.CheckConstraint(
                condition=models.Q(user=None) | models.Q(group=None),
                name="person_or_group",
                violation_error_message=_("Choose a person or a group, not both."),
            ),
            models.CheckConstraint(
                condition=models.Q(valid_from=None)
                | models.Q(valid_until=None)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="ends_after_it_begins",
                violation_error_message=_("It has to end after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder} · {self.get_period_display()}"

    def clean(self) -> None:
        # The constraint says so, too; but it is not asked where a form leaves `revoked_at` out.
        others = Allocation.objects.filter(user=None, group=None, revoked_at=None).exclude(pk=self.pk)
        if self.is_everyones and self.revoked_at is None and others.exists():
            raise ValidationError(_("There is an allocation for everyone already; change that one."))

    @property
    def holder(self) -> str:
        return str(self.user or self.group or _("Everyone"))

    @property
    def is_everyones(self) -> bool:
        return self.user_id is None and self.group_id is None

    @property
    def is_in_force(self) -> bool:
        now = timezone.now()
        has_begun = self.valid_from is None or self.valid_from <= now
        return self.revoked_at is None and has_begun and (self.valid_until is None or now < self.valid_until)

    @cached_property
    def chosen_tokens(self) -> list[APIToken]:
        """In the order in which they are tried; none when any may be used."""
        return [row.api_token for row in self.chosen.select_related("api_token")]

    @cached_property
    def tokens(self) -> list[APIToken]:
        """Those that can be used, in order; the ones in trouble last, since they may be well again."""
        chosen = self.chosen_tokens
        usable = [token for token in chosen if token.is_usable] if chosen else list(APIToken.objects.usable())
        return sorted(usable, key=lambda token: token.is_in_trouble)

    # Granting: each verb leaves an entry

    @transaction.atomic
    def change(
        self, *, version: int, actor: User | None, reason: str = "", tokens: Iterable[APIToken] | None = None,
        **terms: Any,
    ) -> None:  # fmt: skip
        """Other terms, from the next call on. Raises `ChangedMeanwhile`, `ValidationError`."""
        for name, value in terms.items():
            setattr(self, name, value)
        self.full_clean()
        changes = {name: getattr(self, name) for name in terms}
        if not self._kept().filter(version=version, revoked_at=None).update(**changes, version=version + 1):
            raise ChangedMeanwhile
        self.version = version + 1
        if tokens is not None:
            self.choose_tokens(tokens)
        self.note_terms(LedgerEntry.Kind.CHANGE, actor, reason)

    @transaction.atomic
    def revoke(self, *, actor: User | None, reason: str = "") -> bool:
        """Ends it for the next call; what runs is settled as usual. False when it was revoked already."""
        self.revoked_at = timezone.now()
        is_new = bool(self._kept().filter(revoked_at=None).update(revoked_at=self.revoked_at))
        if is_new:
            self.note_terms(LedgerEntry.Kind.REVOKE, actor, reason)
        return is_new

    def choose_tokens(self, tokens: Iterable[APIToken]) -> None:
        """These, in this order; none for any."""
        self.chosen.all().delete()
        rows: Sequence[ChosenToken] = [
            ChosenToken(allocation=self, api_token=token, position=position)
            for position, token in enumerate(tokens)
        ]
        ChosenToken.objects.bulk_create(rows)

    def note_terms(self, kind: str, actor: User | None, reason: str) -> None:
        """Leave an entry that says what is granted from now on."""
        self._note(kind, actor=actor, reason=reason, terms=self.terms())

    def terms(self) -> dict[str, Any]:
        """What is granted, as JSON keeps it."""
        terms = {name: getattr(self, name) for name in self.TERMS}
        terms["cost_limit"] = None if self.cost_limit is None else f"{self.cost_limit:.9f}"
        kept: dict[str, Any] = json.loads(json.dumps(terms, cls=DjangoJSONEncoder))
        return kept


class ChosenToken(models.Model):
    """Which tokens an allocation spends, and in which order they are tried."""

    allocation = models.ForeignKey(Allocation, models.CASCADE, related_name="chosen")
    api_token = models.ForeignKey(
        APIToken, models.PROTECT, related_name="chosen_by", verbose_name=_("API token")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("chosen token")
        verbose_name_plural = _("chosen tokens")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["allocation", "api_token"], name="a_token_is_chosen_once")
        ]

    def __str__(self) -> str:
        return str(self.api_token)


# Asked before every call
_concerning = Query(lambda pk: Allocation.objects.concerning(User(pk=pk)), EXAMPLE)
_chosen_by_those_concerning = Query(
    lambda pk: (
        APIToken.objects.filter(
            chosen_by__allocation__in=Allocation.objects.concerning(User(pk=pk)).order_by()
        )
        .annotate(allocation_pk=models.F("chosen_by__allocation"))
        .order_by("chosen_by__position", "chosen_by__pk")
    ),
    EXAMPLE,
)


def ended_or_to_come(user: User) -> tuple[datetime | None, datetime | None]:
    """When the last of what this person had has ended, and when the next begins."""
    now, theirs = timezone.now(), Allocation.objects.concerning(user)
    ended = [one.valid_until for one in theirs if one.valid_until and one.valid_until <= now]
    begin = [one.valid_from for one in theirs if one.valid_from and one.valid_from > now]
    return max(ended, default=None), min(begin, default=None)
