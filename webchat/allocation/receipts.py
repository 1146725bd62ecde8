"""What did one call take? Its receipt, in words: for whoever asked, below the answer and in the list of calls."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.allocation import money
from webchat.allocation.charts import grouped
from webchat.allocation.models import UsageRecord


@dataclass(frozen=True)
class Receipt:
    """`models` is what was asked, and what answered if that has another name."""

    created_at: datetime
    source: str
    outcome: str
    models: str
    parts: list[str]


def of(call: UsageRecord) -> Receipt:
    source, outcome = call.get_source_display(), call.get_outcome_display()
    return Receipt(call.created_at, source, outcome, models(call), parts(call))


def models(call: UsageRecord) -> str:
    if call.answered_model in ("", call.model):
        return call.model
    return _("%(answered)s, asked for as %(model)s") % {"answered": call.answered_model, "model": call.model}


def parts(call: UsageRecord) -> list[str]:
    """Tokens, cost, times. Nothing for a call that runs or took nothing."""
    if call.outcome == UsageRecord.Outcome.RESERVED or call.took_nothing:
        return []
    said = [_amounts(call)]
    if call.spent_cost:
        said.append(money.shown(call.spent_cost))
    if call.first_token_ms is not None:
        said.append(_("first word after %(seconds)s s") % {"seconds": _seconds(call.first_token_ms)})
    if call.duration_ms is not None:
        said.append(_("%(seconds)s s in all") % {"seconds": _seconds(call.duration_ms)})
    return said


def _amounts(call: UsageRecord) -> str:
    text = ", ".join(amounts(call))
    if call.n > 1:
        several = ngettext("%(amount)s for %(count)d answer", "%(amount)s for %(count)d answers", call.n)
        text = several % {"amount": text, "count": call.n}
    if call.origin == UsageRecord.Origin.ESTIMATED:
        return _("about %(tokens)s, estimated") % {"tokens": text}
    return text


def amounts(call: UsageRecord) -> list[str]:
    """What was used, of all that is counted."""
    said = []
    if count := call.total_tokens:
        said.append((ngettext("%(count)s token", "%(count)s tokens", count), count))
    if count := call.characters:
        said.append((ngettext("%(count)s character", "%(count)s characters", count), count))
    if count := call.seconds:
        said.append((ngettext("%(count)s second of sound", "%(count)s seconds of sound", count), count))
    if count := call.images:
        said.append((ngettext("%(count)s image", "%(count)s images", count), count))
    return [text % {"count": grouped(count)} for text, count in said]


def _seconds(milliseconds: int) -> str:
    return formats.number_format(milliseconds / 1000, 1 if milliseconds >= 1000 else 2, force_grouping=True)
