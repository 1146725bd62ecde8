"""What does the upstream offer, what can it do, and what does it cost?"""

from decimal import Decimal
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from webchat.allocation.money import NOTHING, MoneyField, rounded
from webchat.allocation.statements import Query

MILLION = Decimal(10**6)


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


class ModelInfo(Prices):
    """A model as the upstream last listed it, and what an admin knows about it."""

    name = models.CharField(_("model"), max_length=200, unique=True)
    label = models.CharField(_("label"), max_length=200, blank=True)
    owned_by = models.CharField(_("vendor"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=20)
    context_length = models.PositiveIntegerField(
        _("context length"), null=True, blank=True, help_text=_("Tokens, question and answer together.")
    )
    has_vision = models.BooleanField(_("can look at pictures"), default=False)
    has_system_role = models.BooleanField(_("takes instructions"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_enabled = models.BooleanField(_("offered to people"), default=True)
    is_available = models.BooleanField(_("listed by the AI service"), default=True)
    seen_at = models.DateTimeField(_("last listed"), null=True)

    objects = ModelInfoQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.label or self.name

    @staticmethod
    def find(name: str) -> "ModelInfo":
        """What is known of this model; of an unknown one nothing, and it costs nothing."""
        return next(iter(_named(name)), None) or ModelInfo(name=name)


_named = Query(lambda name: ModelInfo.objects.filter(name=name).order_by(), "(any)")
