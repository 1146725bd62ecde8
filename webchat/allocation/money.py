"""How is money kept? Exactly: as whole billionths of one unit of the currency, which every database adds up alike.

Decimals would be floats on SQLite, and a ledger whose sums are off by a hair proves nothing.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import Combinable, Value
from django.utils import formats
from django.utils.translation import gettext_lazy as _

PLACES = 9
MOST = Decimal(10**9)
NOTHING = Decimal(0)
_UNIT = Decimal(1).scaleb(-PLACES)


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_UNIT, ROUND_HALF_UP)


def amount(value: Decimal) -> Value:
    """For arithmetic in the database: a bare Decimal would be taken for another kind of number."""
    return Value(value, output_field=MoneyField())


if TYPE_CHECKING:
    Integers = models.BigIntegerField[Decimal | int | Combinable, Decimal]
else:
    Integers = models.BigIntegerField


class AmountField(forms.DecimalField):
    def prepare_value(self, value: Any) -> Any:
        """As people write it: without the zeros behind it."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) and value.is_finite() else value


class MoneyField(Integers):
    """A Decimal of nine places in Python, an integer in the database."""

    description = _("Money")

    @property
    def validators(self) -> list[Any]:
        given = self._validators  # type: ignore[attr-defined]
        return [*given, MaxValueValidator(MOST), MinValueValidator(-MOST)]

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-PLACES)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        try:
            exact = value if isinstance(value, Decimal) else Decimal(str(value))
        except ArithmeticError:
            exact = Decimal("NaN")
        if not exact.is_finite():
            raise ValidationError(_("This is no amount of money."))
        return exact

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        exact = self.to_python(value)
        assert exact is not None
        return int(rounded(exact).scaleb(PLACES))

    def formfield(self, **kwargs: Any) -> forms.Field:  # type: ignore[override]
        defaults: dict[str, Any] = {
            "form_class": AmountField,
            "max_digits": 10 + PLACES,
            "decimal_places": PLACES,
            "min_value": NOTHING,
        }
        return cast(forms.Field, models.Field.formfield(self, **(defaults | kwargs)))


def shown(value: Decimal) -> str:
    """For people: two places, or as many as show that it is not nothing."""
    places = 2
    while places < PLACES and value and abs(value) < Decimal(10) ** -(places - 1):
        places += 1
    text = formats.number_format(value, places, force_grouping=True)
    return f"{text} {settings.CURRENCY}"
