"""Is a value within what is allowed, and if not, how do we say so?"""

import math
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Range:
    low: float
    high: float
    default: float
    whole: bool = False
    above_low: bool = False
    # Set when it is this model's own, narrower than what the API allows.
    model: str = ""


@dataclass(frozen=True)
class Violation:
    field: str
    message: str
    code: str = "invalid_request_error"


def check_number(field: str, value: object, allowed: Range) -> list[Violation]:
    if value is None:
        return []
    # bool is an int to Python; true is no temperature.
    if (
        isinstance(value, bool)
        or not isinstance(value, int if allowed.whole else int | float)
        or not _is_finite(value)
    ):
        wanted = _("%(field)s must be a whole number.") if allowed.whole else _("%(field)s must be a number.")
        return [violation(field, wanted, field=field)]
    if allowed.low <= value <= allowed.high and not (allowed.above_low and value == allowed.low):
        return []
    facts = {"field": field, "low": plain(allowed.low), "high": plain(allowed.high), "model": allowed.model}
    return [violation(field, _wanted(allowed), **facts)]


def _wanted(allowed: Range) -> Promise:
    if allowed.model and allowed.low == allowed.high:
        return _("For the model “%(model)s” %(field)s must be %(low)s.")
    if allowed.model:
        return _("For the model “%(model)s” %(field)s must be between %(low)s and %(high)s.")
    if allowed.above_low:
        return _("%(field)s must be above %(low)s and at most %(high)s.")
    return _("%(field)s must be between %(low)s and %(high)s.")


def _is_finite(value: int | float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def check_text(field: str, text: object, limit: int) -> list[Violation]:
    if not isinstance(text, str) or not text.strip():
        return [violation(field, _("The text must not be empty."))]
    if len(text) > limit:
        wanted = _("The text has %(length)d characters; at most %(limit)d are possible.")
        return [violation(field, wanted, length=len(text), limit=limit)]
    return []


def check_choice(field: str, value: object, allowed: tuple[str, ...]) -> list[Violation]:
    if value is None or value in allowed:
        return []
    return [
        violation(field, _("%(field)s must be one of: %(allowed)s."), field=field, allowed=", ".join(allowed))
    ]


def plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"


def violation(field: str, message: Promise | str, /, **params: object) -> Violation:
    return Violation(field, str(message) % params)
