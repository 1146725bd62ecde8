"""What do people ask for beyond what they have, and what became of it? One request at a time, with every step kept."""

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models.allocation import Allocation, ChangedMeanwhile
from webchat.allocation.models.request_step import TEXT, More, RequestStep
from webchat.allocation.periods import Period

# Each new one may be a mail to every admin.
STEPS_A_DAY = 20


class AllocationRequestQuerySet(models.QuerySet["AllocationRequest"]):
    def open(self) -> Self:
        return self.filter(state=AllocationRequest.State.OPEN)

    def news(self) -> Self:
        """Decided, and whoever asked has not seen it yet."""
        states = AllocationRequest.State
        return self.filter(seen_at=None).exclude(state__in=(states.OPEN, states.WITHDRAWN))

    def note_seen(self) -> int:
        return self.news().update(seen_at=timezone.now())

    @transaction.atomic
    def ask(
        self, user: User, *, reason: str, tokens: int | None = None, cost: Decimal | None = None,
        until: date | None = None, language: str = "",
    ) -> "AllocationRequest":  # fmt: skip
        """A new request; while one is open, it becomes this one. Raises `ValidationError`."""
        # Of what one person asks in two tabs at once, the second is asked again.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        request = self.open().filter(user=user).select_for_update().first() or AllocationRequest(user=user)
        is_new = request._state.adding
        more = {"tokens": tokens, "cost": cost, "until": until}
        for name, value in {**more, "reason": reason.strip(), "language": language}.items():
            setattr(request, name, value)
        request.full_clean(validate_constraints=False)
        self._hold_back(user)
        request.version += 1
        request.asked_at = timezone.now()
        request.save()
        kind = RequestStep.Kind.ASKED if is_new else RequestStep.Kind.ASKED_AGAIN
        request.note_step(kind, user, request.reason, **more)
        AuditEvent.objects.note(user, AuditEvent.Action.REQUEST, request, person=user, reason=request.reason)
        return request

    def _hold_back(self, user: User) -> None:
        day = timezone.now() - timedelta(days=1)
        if RequestStep.objects.filter(request__user=user, actor=user, at__gt=day).count() >= STEPS_A_DAY:
            raise ValidationError(_("You have asked very often today. Try again tomorrow."))


class AllocationRequest(More):
    """What one person asks for, and what an admin decided."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("request", "waiting")
        GRANTED = "granted", pgettext_lazy("request", "granted")
        CHANGED = "changed", pgettext_lazy("request", "granted with changes")
        REFUSED = "refused", pgettext_lazy("request", "refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("request", "withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, models.CASCADE, related_name="allocation_requests", verbose_name=_("person")
    )
    reason = models.TextField(_("reason"), validators=TEXT)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    note = models.TextField(_("note"), blank=True, validators=TEXT)
    decided_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    allocation = models.ForeignKey(
        Allocation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requests",
        verbose_name=_("allocation"),
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # In which the decision is told by mail.
    language = models.CharField(max_length=10, blank=True, editable=False)
    # Counts how often it was asked, so that nobody grants what they have not seen.
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = AllocationRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for more")
        verbose_name_plural = _("requests for more")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(state="open"), name="one_open_request_each")
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(seen_at=None), name="requests_not_seen"),
            models.Index(fields=["state", "asked_at"], name="requests_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.in_words}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def decision(self) -> str:
        """For whoever asked."""
        return str(DECISIONS.get(self.state, ""))

    @property
    def patterns(self) -> list[Allocation]:
        """What this person can use now, most likely what they want more of first; else what they could."""
        current = Allocation.objects.open_to(self.user)
        current = [one for one in current if not one.is_extra] or current
        current.sort(key=lambda one: not one.has_limit)
        return current or list(Allocation.objects.concerning(self.user).select_related("user", "group"))

    @property
    def to_raise(self) -> list[Allocation]:
        """A group's or everyone's would be raised for others, too."""
        return [
            one
            for one in self.patterns
            if one.user_id == self.user_id and one.is_in_force and one.has_limit and not one.is_extra
        ]

    # Verbs: each ends it, if it is still open and, for admins, as they saw it

    @transaction.atomic
    def withdraw(self) -> bool:
        """False when it was decided already."""
        is_first = self._end(self.State.WITHDRAWN)
        if is_first:
            self.note_step(RequestStep.Kind.WITHDRAWN, self.user)
        return is_first

    @transaction.atomic
    def refuse(self, actor: User, note: str, *, version: int) -> None:
        """Raises `ChangedMeanwhile`, `ValidationError`."""
        if not note.strip():
            raise ValidationError({"note": _("Say why; whoever asked reads it.")})
        self.note_step(RequestStep.Kind.REFUSED, actor, note)
        self._decide(self.State.REFUSED, actor, note, version)

    def grant(
        self, actor: User, note: str = "", *, version: int, like: Allocation | None = None,
        raising: Allocation | None = None,
    ) -> Allocation:  # fmt: skip
        """What was asked for: once, on top, on the terms of `like`; or for good, by raising another one.

        Raises `ChangedMeanwhile`, `ValidationError`.
        """
        asked = {"tokens": self.tokens, "cost": self.cost, "until": self.until}
        return self._give(self.State.GRANTED, actor, note, version, asked, like, raising)

    def change(
        self, actor: User, note: str = "", *, version: int, tokens: int | None = None,
        cost: Decimal | None = None, until: date | None = None, like: Allocation | None = None,
        raising: Allocation | None = None,
    ) -> Allocation:  # fmt: skip
        """Something else than was asked for. Raises `ChangedMeanwhile`, `ValidationError`."""
        given = {"tokens": tokens, "cost": cost, "until": until}
        return self._give(self.State.CHANGED, actor, note, version, given, like, raising)

    @transaction.atomic
    def _give(
        self, state: str, actor: User, note: str, version: int, given: dict[str, Any],
        like: Allocation | None, raising: Allocation | None,
    ) -> Allocation:  # fmt: skip
        if raising:
            given["until"] = None
        step = RequestStep(request=self, kind=state, actor=actor, text=note, is_raise=bool(raising), **given)
        step.full_clean()
        step.save(force_insert=True)
        reason = note or self.reason
        if raising:
            allocation = self._raise(raising, step, actor, reason)
        else:
            like = like or next(iter(self.patterns), None)
            allocation = self._put_on_top(like, step, actor, reason)
        self._decide(state, actor, note, version, allocation=allocation)
        return allocation

    def _put_on_top(self, like: Allocation | None, more: More, actor: User, reason: str) -> Allocation:
        """More of the same: not for other models, nor faster, than what they have."""
        terms = {name: getattr(like, name) for name in SAME_TERMS} if like else {}
        tokens = like.chosen_tokens if like else []
        return Allocation.objects.grant(
            user=self.user,
            tokens=tokens,
            actor=actor,
            reason=reason,
            token_limit=more.tokens,
            cost_limit=more.cost,
            period=Period.ONCE,
            valid_until=end_of(more.until) if more.until else None,
            is_extra=True,
            **terms,
        )

    def _raise(self, allocation: Allocation, more: More, actor: User, reason: str) -> Allocation:
        by = {"token_limit": more.tokens, "cost_limit": more.cost}
        raised: dict[str, Any] = {}
        for name, amount in by.items():
            limit = getattr(allocation, name)
            if amount is not None and limit is None:
                raise ValidationError(_("This allocation has no such limit that could be raised."))
            if amount is not None:
                raised[name] = limit + amount
        allocation.change(version=allocation.version, actor=actor, reason=reason, **raised)
        return allocation

    def _decide(self, state: str, actor: User, note: str, version: int, **came_of_it: Allocation) -> None:
        decided = {"note": note, "decided_by": actor, "decided_at": timezone.now(), **came_of_it}
        if self.version != version or not self._end(state, version=version, **decided):
            raise ChangedMeanwhile
        AuditEvent.objects.note(actor, f"request_{state}", self, person=self.user, reason=note)

    def _end(self, state: str, *, version: int | None = None, **changes: Any) -> bool:
        """One guarded UPDATE: of several who end it at once a single one does."""
        as_seen = self._kept().open() if version is None else self._kept().open().filter(version=version)
        if not as_seen.update(state=state, **changes):
            return False
        for name, value in {"state": state, **changes}.items():
            setattr(self, name, value)
        return True

    def note_step(self, kind: str, actor: User, text: str = "", **more: Any) -> None:
        step = RequestStep(request=self, kind=kind, actor=actor, text=text, **more)
        step.clean_fields()
        step.save(force_insert=True)

    def _kept(self) -> AllocationRequestQuerySet:
        return AllocationRequest.objects.filter(pk=self.pk)


DECISIONS = {
    "granted": _("You were granted what you asked for"),
    "changed": _("You were granted something else than you asked for"),
    "refused": _("Your request for more was refused"),
}
SAME_TERMS = ("allowed_models", "requests_per_minute", "answers_at_once", "max_tokens", "max_n")


def end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
