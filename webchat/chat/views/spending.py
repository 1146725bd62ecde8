"""What it took, and what it would take: usage by conversation, and the most that a question could cost."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from webchat.allocation import money, reports
from webchat.allocation.span import SpanForm
from webchat.chat import forecast, spending
from webchat.chat.forms import ComposerForm
from webchat.chat.models import Conversation
from webchat.chat.views.pages import PersonRequest, composer, signed_in


@signed_in
@require_safe
def by_conversation(request: PersonRequest) -> HttpResponse:
    """A part of the page about usage, which is of a room that knows no conversations."""
    chosen = SpanForm(request.GET).span
    total = reports.total(request.user, chosen)
    rows = spending.by_conversation(request.user, chosen)
    context = {
        "rows": rows,
        "span": chosen,
        "total": total,
        "other_tokens": total.tokens - sum(row.tokens for row in rows),
        "other_cost": money.shown(total.cost - sum(row.cost for row in rows)),
    }
    template = "chat/_by_conversation.html" if request.htmx else "chat/by_conversation.html"
    return render(request, template, context)


@signed_in
@require_POST
def estimate(request: PersonRequest, pk: UUID | None = None) -> HttpResponse:
    """What stands in the composer is weighed; nothing is kept, nothing is sent."""
    mine = Conversation.objects.owned_by(request.user)
    conversation = get_object_or_404(mine, pk=pk) if pk else None
    after = conversation.leaf_id if conversation else None
    form = ComposerForm(request.POST, conversation=conversation, after=after)
    if form.is_valid():
        form.forecast = forecast.of(request.user, form.parameters.model, form.need)
    if request.htmx:
        return render(request, "chat/_forecast.html", {"form": form})
    return composer(request, conversation, form)
