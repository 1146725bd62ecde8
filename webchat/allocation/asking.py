"""Asking for more: the form, one's own requests with what became of them, and taking one back."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from webchat.accounts.models import User
from webchat.allocation import letters
from webchat.allocation.forms import AskForm, wanted
from webchat.allocation.models import AllocationRequest

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if request.method == "POST":
        return _send(request, user)
    mine = AllocationRequest.objects.filter(user=user)
    mine.note_seen()
    waiting = mine.open().first()
    return _page(request, user, AskForm(initial=wanted(waiting) if waiting else None))


def _send(request: HttpRequest, user: User) -> HttpResponse:
    form = AskForm(request.POST)
    if form.is_valid():
        language = get_language() or ""
        try:
            asked = AllocationRequest.objects.ask(
                user, reason=form.cleaned_data["reason"], language=language, **form.more
            )
        except ValidationError as error:
            form.add_refusal(error)
        else:
            if asked.version == 1:
                letters.tell_deciders(asked)
            messages.success(request, _("Your request was sent. You are told here when it is decided."))
            return redirect("allocation:ask")
    return _page(request, user, form, status=422)


def _page(request: HttpRequest, user: User, form: AskForm, status: int = 200) -> HttpResponse:
    mine = AllocationRequest.objects.filter(user=user).prefetch_related("steps__actor")
    context = {"form": form, "requests": mine[:SHOWN], "waiting": mine.open().first()}
    return render(request, "allocation/ask.html", context, status=status)


@require_POST
@login_required
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    mine = get_object_or_404(AllocationRequest, pk=pk, user=cast(User, request.user))
    if mine.withdraw():
        messages.success(request, _("You have withdrawn your request."))
    else:
        messages.info(request, _("This request is no longer open; what became of it stands below."))
    return redirect("allocation:ask")
