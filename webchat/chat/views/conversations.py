"""A person's conversations: the empty one, one of them, their order."""

from contextlib import suppress
from uuid import UUID

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from webchat import background
from webchat.accounts.models import User
from webchat.allocation import catalogue
from webchat.chat import events, generation, recovery, sidebar
from webchat.chat.forms import ComposerForm
from webchat.chat.models import Conversation
from webchat.chat.views import asking
from webchat.chat.views.pages import (
    PersonRequest,
    conversation_page,
    field_note,
    sidebar_list,
    signed_in,
    unless_ending,
)

LONGEST_TITLE = 200
# Many pages may be opened while the upstream hangs; they must not take the places of answers.
SECONDS_BETWEEN_REFRESHES = 60


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@unless_ending
def conversations(request: PersonRequest) -> HttpResponse:
    """The empty page, and the first question that makes a conversation of it."""
    if request.method == "POST":
        return asking.begin(request)
    refresh_models(request.user)
    return conversation_page(request, None, ComposerForm(conversation=None))


@signed_in
@require_safe
def conversation(request: PersonRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)
    recovery.end_lost_answers()
    refresh_models(request.user)
    return conversation_page(request, found, ComposerForm(conversation=found))


def refresh_models(user: User) -> None:
    """Bring the list of models up to date for the next page; this one does not wait."""
    if catalogue.is_stale() and cache.add("models-asked-for", True, SECONDS_BETWEEN_REFRESHES):
        async_to_sync(_spawn_refresh)(user)


async def _spawn_refresh(user: User) -> None:
    background.spawn(catalogue.refresh(user), name="refresh the models")


@signed_in
@require_safe
def sidebar_page(request: PersonRequest) -> HttpResponse:
    page = request.GET.get("page", "")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    context = {"sidebar": sidebar.load(request.user, max(1, number))}
    template = "chat/_sidebar_page.html" if request.htmx else "chat/older_conversations.html"
    return render(request, template, context)


@signed_in
@require_POST
def rename(request: PersonRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)
    title = " ".join(request.POST.get("title", "").replace("\0", "").split())
    if not title or len(title) > LONGEST_TITLE:
        return field_note(request, f"title-{pk}", _("A title has 1 to 200 characters."), 422)
    found.rename(title)
    events.tell_conversation_changed(found.pk)
    return _after_change(request, found)


@signed_in
@require_POST
def pin(request: PersonRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)
    found.pin(not found.is_pinned)
    return _after_change(request, found)


@signed_in
@require_POST
def delete(request: PersonRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)
    is_open = True
    for answer in found.messages.running():
        generation.stop(answer)
    # Read before anything is done: it may be no address at all.
    with suppress(ValueError):
        is_open = not request.htmx or request.htmx.current_url_abs_path == found.get_absolute_url()
    found.delete_softly()
    events.tell_conversation_changed(found.pk)
    text = _("“%(title)s” is deleted.") % {"title": found.display_title}
    undo_url = reverse("chat:restore", kwargs={"pk": found.pk})
    if not is_open:
        return sidebar_list(request, text, undo_url)
    messages.success(request, text, extra_tags=undo_url)
    return _go(request, reverse("chat:conversations"))


@signed_in
@require_POST
def restore(request: PersonRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.deleted_by(request.user), pk=pk)
    found.restore()
    return _go(request, found.get_absolute_url())


def _after_change(request: PersonRequest, changed: Conversation) -> HttpResponse:
    return sidebar_list(request) if request.htmx else redirect(changed)


def _go(request: PersonRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
