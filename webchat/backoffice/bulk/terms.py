"""On what terms does a line grant? Cells become what an `Allocation` keeps, or sentences about what is wrong."""

import re
from collections.abc import Callable, Collection
from datetime import date, datetime, time
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils import formats, timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.allocation.models import Allocation, ModelInfo, terms_from_json
from webchat.allocation.money import shown
from webchat.allocation.periods import Period
from webchat.upstream import rules

UNLIMITED = ("unlimited", "不限")
LIMITS = ("token_limit", "cost_limit")
# 1000 or 1,000; "1.000" is a thousand for some and one for others.
WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(,[0-9]{3})+")
MONEY = re.compile(r"([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]{1,9})?")
LONGEST_NOTE = 500
LATEST_YEAR = 2100


def read_terms(cells: dict[str, str], models: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """The terms that the cells name, and what is wrong with them. Without terms nothing is granted."""
    terms: dict[str, Any] = {}
    problems: list[str] = []
    readers: dict[str, Callable[[str], Any]] = {
        "token_limit": lambda cell: _limit(cell, "token_limit", WHOLE),
        "cost_limit": lambda cell: _limit(cell, "cost_limit", MONEY),
        "period": _period,
        "models": lambda cell: _models(cell, models),
        "valid_until": _moment,
        "note": _note,
    }
    for column in (name for name in readers if name in cells):
        try:
            terms["allowed_models" if column == "models" else column] = readers[column](cells[column])
        except ValidationError as error:
            problems.append(f"{column}: {' '.join(error.messages)}")
    is_limited = any(cells.get(name) for name in LIMITS)
    if not is_limited and any(cells.get(name) for name in ("period", "models", "valid_until")):
        text = _("Say how much, in token_limit or cost_limit: a number, or “unlimited”.")
        problems.append(text)
    return (terms if is_limited else {}), problems


def known_models() -> set[str]:
    return set(ModelInfo.objects.offered().values_list("name", flat=True)) or {
        model.id for model in rules.MODELS
    }


def in_words(terms: dict[str, Any]) -> str:
    """As kept in JSON."""
    if not terms:
        return ""
    kept = Allocation(**terms_from_json(terms))
    parts = []
    if kept.token_limit is not None:
        text = ngettext("%(count)s token", "%(count)s tokens", kept.token_limit)
        parts.append(text % {"count": formats.number_format(kept.token_limit, force_grouping=True)})
    if kept.cost_limit is not None:
        parts.append(shown(kept.cost_limit))
    parts = parts or [_("no limit")]
    parts.append(str(Period(kept.period).label))
    if kept.allowed_models:
        parts.append(", ".join(kept.allowed_models))
    if kept.valid_until:
        until = formats.date_format(timezone.localtime(kept.valid_until), "SHORT_DATETIME_FORMAT")
        parts.append(_("until %(day)s") % {"day": until})
    return " · ".join(parts)


def to_json(terms: dict[str, Any]) -> dict[str, Any]:
    kept = Allocation(**terms).terms()
    return {name: kept[name] for name in terms}


def _limit(cell: str, name: str, pattern: re.Pattern[str]) -> Any:
    if not cell or cell.lower() in UNLIMITED:
        return None
    if not pattern.fullmatch(cell):
        if pattern is WHOLE:
            raise ValidationError(_("“%(cell)s” is no whole number of tokens.") % {"cell": cell[:40]})
        raise ValidationError(_("“%(cell)s” is no amount of money.") % {"cell": cell[:40]})
    field = cast("Field[Any, Any]", Allocation._meta.get_field(name))
    value = field.clean(cell.replace(",", ""), None)
    if not value:
        raise ValidationError(_("Zero grants nothing. Leave both empty to invite without an allocation."))
    return value


def _period(cell: str) -> str:
    if not cell:
        return Period.MONTH.value
    if cell.lower() not in Period.values:
        text = _("“%(cell)s” is no period. There are: %(known)s.")
        raise ValidationError(text % {"cell": cell[:40], "known": ", ".join(Period.values)})
    return cell.lower()


def _models(cell: str, known: Collection[str]) -> list[str]:
    names = list(dict.fromkeys(re.split(r"[;,，；\s]+", cell.strip(";,，； ")))) if cell else []
    if unknown := [name for name in names if name not in known]:
        text = _("No such model is offered: %(names)s.")
        raise ValidationError(text % {"names": ", ".join(name[:60] for name in unknown[:5])})
    return names


def _moment(cell: str) -> datetime | None:
    """A day counts to its end."""
    if not cell:
        return None
    try:
        moment = parse_datetime(cell) if len(cell) > 10 else _end_of(parse_date(cell.replace("/", "-")))
    except ValueError:
        moment = None
    if moment is None or moment.year > LATEST_YEAR:
        raise ValidationError(_("“%(cell)s” is no day. Write it like 2027-01-31.") % {"cell": cell[:40]})
    moment = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    if moment <= timezone.now():
        raise ValidationError(_("“%(cell)s” is over already.") % {"cell": cell[:40]})
    return moment


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time(23, 59, 59)) if day else None


def _note(cell: str) -> str:
    if len(cell) > LONGEST_NOTE:
        text = _("This is longer than %(most)d characters.")
        raise ValidationError(text % {"most": LONGEST_NOTE})
    return cell
