"""What does the upstream offer, what can it do, and what does it cost?"""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, Self, cast

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from webchat.allocation.money import NOTHING, MoneyField, rounded
from webchat.rows import Query
from webchat.upstream import rules

MILLION = Decimal(10**6)
# By what each kind of model is paid
PRICES_OF = {
    "chat": ("prompt_price", "completion_price"),
    "speech": ("character_price",),
    "transcription": ("minute_price",),
    "image": ("image_price",),
}
_TEMPERATURE = [MinValueValidator(rules.TEMPERATURE.low), MaxValueValidator(rules.TEMPERATURE.high)]


class Prices(models.Model):
    """What a model costs. A usage record keeps those by which it was reserved, whatever they become later."""

    prompt_price = MoneyField(
        _("per million prompt tokens"), default=NOTHING, validators=[MinValueValidator(NOTHING)]
    )
    completion_price = MoneyField(
        _("per million completion tokens"), default=NOTHING, validators=[MinValueValidator(NOTHING)]
    )
    character_price = MoneyField(
        _("per million characters"), default=NOTHING, validators=[MinValueValidator(NOTHING)]
    )
    minute_price = MoneyField(
        _("per minute of sound"), default=NOTHING, validators=[MinValueValidator(NOTHING)]
    )
    image_price = MoneyField(_("per image"), default=NOTHING, validators=[MinValueValidator(NOTHING)])

    class Meta:
        abstract = True

    def cost(
        self,
        *,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        characters: int = 0,
        seconds: int = 0,
        images: int = 0,
    ) -> Decimal:
        per_million = (
            self.prompt_price * prompt_tokens
            + self.completion_price * completion_tokens
            + self.character_price * characters
        )
        return rounded(per_million / MILLION + self.minute_price * seconds / 60 + self.image_price * images)

    @property
    def prices(self) -> dict[str, Decimal]:
        return {field.name: getattr(self, field.name) for field in Prices._meta.fields}


class ModelInfoQuerySet(models.QuerySet["ModelInfo"]):
    def offered(self) -> Self:
        return self.filter(is_available=True, is_enabled=True)

    def without_price(self) -> Self:
        """What is asked of these costs nothing, as far as a budget in money is told."""
        is_free = [models.Q(kind=kind, **dict.fromkeys(prices, 0)) for kind, prices in PRICES_OF.items()]
        return self.filter(reduce(or_, is_free))


class ModelInfo(Prices):
    """A model as the upstream last listed it, and what an admin knows about it."""

    class Kind(models.TextChoices):
        CHAT = "chat", _("chat")
        SPEECH = "speech", _("reading aloud")
        TRANSCRIPTION = "transcription", _("transcription")
        IMAGE = "image", _("images")

    name = models.CharField(_("model"), max_length=200, unique=True)
    label = models.CharField(
        _("label"),
        max_length=200,
        blank=True,
        help_text=_("What people choose it by; empty for its own name."),
    )
    owned_by = models.CharField(_("vendor"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    context_length = models.PositiveIntegerField(
        _("context length"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(int(rules.MAX_TOKENS.high))],
        help_text=_("Tokens, question and answer together."),
    )
    has_vision = models.BooleanField(_("can look at pictures"), default=False)
    has_system_role = models.BooleanField(
        _("takes instructions"),
        default=True,
        help_text=_("If not, they are put before the first question."),
    )
    # Rules of its own, where it takes less than the API allows
    temperature_low = models.FloatField(
        _("lowest temperature"), null=True, blank=True, validators=_TEMPERATURE
    )
    temperature_high = models.FloatField(
        _("highest temperature"),
        null=True,
        blank=True,
        validators=_TEMPERATURE,
        help_text=_("The same as the lowest one: every answer is asked for with it."),
    )
    max_tokens = models.PositiveIntegerField(
        _("largest max_tokens"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(int(rules.MAX_TOKENS.high))],
    )
    max_n = models.PositiveSmallIntegerField(
        _("largest n"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(int(rules.N.high))],
    )
    one_answer_below = models.FloatField(
        _("one answer only below the temperature"),
        null=True,
        blank=True,
        validators=_TEMPERATURE,
        help_text=_("Empty for 0.3, which is usual; 0 when there is no such rule."),
    )
    position = models.PositiveIntegerField(_("position"), default=0, editable=False)
    is_enabled = models.BooleanField(_("offered to people"), default=True)
    is_available = models.BooleanField(_("listed by the AI service"), default=True, editable=False)
    seen_at = models.DateTimeField(_("last listed"), null=True, editable=False)

    objects = ModelInfoQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.label or self.name

    @classmethod
    def find(cls, name: str) -> "ModelInfo":
        """What is known of this model; of one that was never listed, what its name tells, and it costs nothing."""
        return next(iter(_named(name)), None) or cls.of(rules.known(name))

    @classmethod
    def of(cls, known: rules.KnownModel, **facts: Any) -> "ModelInfo":
        return cls(
            name=known.id,
            kind=known.kind,
            context_length=known.context_length or None,
            has_vision=known.vision and known.kind == "chat",
            has_system_role=known.system_role,
            **facts,
        )

    def clean(self) -> None:
        low, high = self.temperature_low, self.temperature_high
        if low is not None and high is not None and high < low:
            raise ValidationError({"temperature_high": _("The highest must not be below the lowest.")})

    @property
    def room(self) -> int:
        """Tokens for question and answer; of a model of which nobody knows, the upstream does, and says so."""
        return self.context_length or int(rules.MAX_TOKENS.high)

    def room_after(self, prompt_tokens: int) -> int:
        """How long an answer to so much can be."""
        return max(min(self.room - prompt_tokens, self.max_tokens or self.room), 1)

    @property
    def known(self) -> rules.KnownModel:
        """As the API's rules want to have it."""
        return rules.KnownModel(
            self.name,
            vendor=self.owned_by,
            context_length=self.room,
            kind=cast(rules.Kind, self.kind),
            vision=self.has_vision,
            system_role=self.has_system_role,
            temperature=self._narrowed(rules.TEMPERATURE, self.temperature_low, self.temperature_high),
            max_tokens=self._narrowed(rules.MAX_TOKENS, None, self.max_tokens),
            n=self._narrowed(rules.N, None, self.max_n),
            near_zero=rules.NEAR_ZERO if self.one_answer_below is None else self.one_answer_below,
        )

    def _narrowed(self, allowed: rules.Range, low: float | None, high: float | None) -> rules.Range:
        if low is None and high is None:
            return allowed
        return replace(
            allowed,
            low=allowed.low if low is None else low,
            high=allowed.high if high is None else high,
            model=self.name,
        )

    @property
    def only_temperature(self) -> float | None:
        """The one with which every answer has to be asked for, if there is just one."""
        allowed = self.known.temperature
        return allowed.low if allowed.low == allowed.high else None


_named = Query(lambda name: ModelInfo.objects.filter(name=name).order_by(), "(any)")
