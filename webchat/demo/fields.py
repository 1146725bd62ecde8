"""Is this field what the API takes? The checks that the endpoints share."""

import math
from typing import Any

import msgspec

from webchat.demo.refusals import invalid


def read_fields(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise invalid("We could not parse the JSON body of your request.") from None
    if not isinstance(fields, dict):
        raise invalid("The body of your request must be a JSON object.")
    return fields


def flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"'{name}' must be true or false.", name)
    return bool(value)


def integer(fields: dict[str, Any], name: str, least: int, most: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(f"'{name}' must be a whole number from {least} to {most}.", name)
    return value


def number(fields: dict[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = fields.get(name)
    if value is None:
        return default
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most:
        raise invalid(f"'{name}' must be a number from {least} to {most}.", name)
    return float(value)


def choice(fields: dict[str, Any], name: str, choices: tuple[str, ...], default: str | None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or value not in choices:
        raise invalid(f"'{name}' must be one of {', '.join(choices)}.", name)
    return value
