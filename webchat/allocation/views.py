"""What have I left, what did I use? Nobody's but one's own."""

from collections.abc import Sequence
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from webchat.accounts.models import User
from webchat.allocation import receipts, reports, span, standing
from webchat.allocation.models import UsageRecord
from webchat.allocation.span import SpanForm
from webchat.spreadsheet import csv_response

RECENT = 20


@require_safe
@login_required
def my_usage(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = SpanForm(request.GET)
    report = reports.of(user, form.span)
    context = {
        "form": form,
        "presets": span.presets(),
        "report": report,
        "recent": [receipts.of(call) for call in reports.calls(user, report.span)[:RECENT]],
    }
    return render(request, "allocation/my_usage.html", context, status=200 if form.is_valid() else 422)


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    """The meter of the sidebar anew, after an answer; nothing for a page whose person is signed out by now."""
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    if "HX-Request" not in request.headers:
        return redirect("allocation:my_usage")
    return render(request, "allocation/_meter.html", {"standing": standing.of(request.user)})


@require_safe
@login_required
def sums_csv(request: HttpRequest) -> HttpResponse:
    """The chosen days, models and sources, added up."""
    chosen = SpanForm(request.GET).span
    header = [
        _("day"), _("model"), _("source"), _("calls"), _("failures"), _("estimated"), _("prompt tokens"),
        _("completion tokens"), _("characters"), _("seconds of sound"), _("images"), _("cost"),
    ]  # fmt: skip
    sums = (
        "calls", "failures", "estimated_calls", "prompt_tokens", "completion_tokens", "characters", "seconds", "images",
        "cost",
    )  # fmt: skip
    rows = (
        [row["day"], row["model"], row["source"], *(row[f"{name}_sum"] for name in sums)]
        for row in reports.by_day_and_model(cast(User, request.user), chosen)
    )
    return csv_response(f"usage-{chosen.file_name}", header, rows)


@require_safe
@login_required
def calls_csv(request: HttpRequest) -> HttpResponse:
    """The calls of the chosen days, the newest first."""
    chosen = SpanForm(request.GET).span
    names = (
        "created_at", "source", "model", "answered_model", "outcome", "n", "prompt_tokens", "completion_tokens",
        "characters", "seconds", "images", "spent_cost", "origin", "first_token_ms", "duration_ms", "error_code",
    )  # fmt: skip
    header = [UsageRecord._meta.get_field(name).verbose_name for name in names]  # type: ignore[union-attr]
    calls = reports.calls(cast(User, request.user), chosen)[: reports.MOST_CALLS + 1]
    rows: list[Sequence[object]] = list(calls.values_list(*names))
    if len(rows) > reports.MOST_CALLS:
        text = _("These are the newest %(count)d calls. Choose fewer days to see those before.")
        rows[-1] = [text % {"count": reports.MOST_CALLS}]
    return csv_response(f"calls-{chosen.file_name}", header, rows)
