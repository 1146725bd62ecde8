"""Who may spend which tokens, how much, for which models, until when?"""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User
from webchat.allocation import refusals
from webchat.allocation.models.api_token import APIToken, fingerprint, validate_base_url
from webchat.allocation.models.budget import Budget
from webchat.allocation.models.ledger import LedgerEntry
from webchat.allocation.models.usage import Need, UsageRecord
from webchat.upstream import rules

# When who asks does not say how long an answer may be, and what they may spend is limited: so long. And as short
# as this, when no more is left.
USUAL_ANSWER = 4096
SHORTEST_ANSWER = 256
PACE = timedelta(minutes=1)


class ChangedMeanwhile(Exception):
    """Somebody else has changed this allocation since it was looked at."""


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def concerning(self, user: User) -> Self:
        """Granted to this person, to one of their groups, or to everyone, in the order in which they are tried."""
        mine = models.Q(user=user) | models.Q(group__user=user) | models.Q(user=None, group=None)
        scope = models.Case(
            models.When(user=user, then=0), models.When(group__isnull=False, then=1), default=2
        )
        return (
            self.filter(mine, revoked_at=None)
            .order_by(scope, "position", "created_at")
            .prefetch_related(models.Prefetch("chosen", ChosenToken.objects.select_related("api_token")))
        )

    def open_to(self, user: User) -> list["Allocation"]:
        """What this person may use now. What everyone may use is for those who have nothing of their own."""
        usable = [one for one in self.concerning(user) if one.is_in_force and one.tokens]
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

    @property
    def tokens(self) -> list[APIToken]:
        """Those that can be used, in order; the ones in trouble last, since they may be well again."""
        chosen = [row.api_token for row in self.chosen.all()]
        usable = [token for token in chosen if token.is_usable] if chosen else list(APIToken.objects.usable())
        return sorted(usable, key=lambda token: token.is_in_trouble)

    # Spending

    def admit(self, record: UsageRecord, need: Need) -> None:
        """Reserve for this call what it may take at most, and save its record. Raises `Refused`."""
        self._check_terms(record.model, need)
        if self.requests_per_minute is None and self.answers_at_once is None:
            self._reserve(record, need)
            return
        with transaction.atomic():
            # What is reserved first holds up the others until it is clear that this one is not too many.
            self._reserve(record, need)
            self._check_pace(record)

    def weigh(self, record: UsageRecord, need: Need) -> None:
        """What this call would reserve, without doing so. Raises `Refused`."""
        self._check_terms(record.model, need)
        self._fit(record, need)
        left = self.left
        is_too_much = left.tokens is not None and record.reserved_tokens > left.tokens
        if is_too_much or (left.cost is not None and record.reserved_cost > left.cost):
            raise refusals.NothingLeft(left.tokens, left.cost, self.renews)

    def _check_terms(self, model: str, need: Need) -> None:
        if self.allowed_models and model not in self.allowed_models:
            raise refusals.ModelNotAllowed(model, self.allowed_models)
        if self.max_n is not None and need.n > self.max_n:
            raise refusals.TooManyAnswers(self.max_n)
        if self.max_tokens is not None and (need.max_tokens or 0) > self.max_tokens:
            raise refusals.AnswerTooLong(self.max_tokens)

    def _reserve(self, record: UsageRecord, need: Need) -> None:
        self._fit(record, need)
        if self.take(record):
            return
        # Others were faster; perhaps a shorter answer still fits.
        self.refresh_from_db(fields=[*self.SUMS, "token_limit", "cost_limit", "revoked_at"])
        self._fit(record, need)
        if self.revoked_at or not self.take(record):
            raise refusals.NothingLeft(self.left.tokens, self.left.cost, self.renews)

    def _fit(self, record: UsageRecord, need: Need) -> None:
        """How long each answer may be, and what that may take at most."""
        longest = min(need.room, self.max_tokens or USUAL_ANSWER)
        if not need.has_answer:
            longest = 0
        elif need.max_tokens is not None:
            longest = need.max_tokens
        elif self.has_limit:
            fitting = self._affordable(record, need, longest)
            record.max_tokens = longest = fitting if fitting >= min(SHORTEST_ANSWER, longest) else longest
        elif self.max_tokens is not None:
            record.max_tokens = longest
        record.n = need.n
        record.reserved_tokens = (need.prompt_tokens + longest) * need.n
        record.reserved_cost = record.cost(
            prompt_tokens=need.prompt_tokens * need.n,
            completion_tokens=longest * need.n,
            characters=need.characters,
            seconds=need.seconds,
            images=need.images,
        )

    def _affordable(self, record: UsageRecord, need: Need, longest: int) -> int:
        """The tokens of each answer for which there is enough left, at most `longest`."""
        left = self.left
        if left.tokens is not None:
            longest = min(longest, left.tokens // need.n - need.prompt_tokens)
        if left.cost is not None and record.completion_price:
            for_answers = left.cost / need.n - record.cost(prompt_tokens=need.prompt_tokens)
            longest = min(longest, int(for_answers * 10**6 / record.completion_price))
        return max(longest, 0)

    def _check_pace(self, record: UsageRecord) -> None:
        """Of each person for themselves, also when a group shares the budget."""
        theirs = self.usage.filter(user=record.user)
        if self.answers_at_once is not None:
            running = theirs.running().aggregate(n=models.Sum("n", default=0))["n"]
            if running > self.answers_at_once:
                raise refusals.TooManyAtOnce(self.answers_at_once)
        if self.requests_per_minute is not None:
            recent = theirs.filter(created_at__gt=timezone.now() - PACE).order_by("-created_at")
            times = list(recent.values_list("created_at", flat=True)[: self.requests_per_minute + 1])
            if len(times) > self.requests_per_minute:
                wait = (times[-1] + PACE - timezone.now()).total_seconds()
                raise refusals.TooManyRequests(self.requests_per_minute, max(1, round(wait)))

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


def ended_or_to_come(user: User) -> tuple[datetime | None, datetime | None]:
    """When the last of what this person had has ended, and when the next begins."""
    now, theirs = timezone.now(), Allocation.objects.concerning(user)
    ended = [one.valid_until for one in theirs if one.valid_until and one.valid_until <= now]
    begin = [one.valid_from for one in theirs if one.valid_from and one.valid_from > now]
    return max(ended, default=None), min(begin, default=None)
