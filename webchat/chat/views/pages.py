"""What is shown: the page of a conversation, the composer, the sidebar, a note."""

from functools import wraps
from typing import Any, Protocol
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from webchat import background
from webchat.accounts.models import User
from webchat.chat import sidebar, spending, thread
from webchat.chat.forms import ComposerForm
from webchat.chat.models import Conversation


class PersonRequest(HttpRequest):
    """From somebody who is signed in."""

    user: User
    htmx: HtmxDetails


class View(Protocol):
    def __call__(self, request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse: ...


def signed_in(view: View) -> View:
    """Others go to the sign-in page; a part of a page is told so instead, and keeps what was typed."""
    guarded = login_required(view)

    @wraps(view)
    def guard(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.htmx and not request.user.is_authenticated:
            return note(
                request, _("You are signed out. Reload the page and sign in; your text is kept."), 401
            )
        response: HttpResponse = guarded(request, *args, **kwargs)
        return response

    return guard


def unless_ending(view: View) -> View:
    """A process that is about to end begins no answer; the page keeps the question and sends it again."""

    @wraps(view)
    def guard(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or not background.ending.is_set():
            return view(request, *args, **kwargs)
        text = _("The portal is just being restarted. What you typed is still here; try again in a moment.")
        response = note(request, text, 503)
        response["Retry-After"] = "5"
        return response

    return guard


def conversation_page(
    request: PersonRequest, conversation: Conversation | None, form: ComposerForm, status: int = 200
) -> HttpResponse:
    shown = thread.load(conversation) if conversation else thread.Thread([], "")
    total = spending.of(conversation) if conversation else spending.Total()
    form.tokens_so_far = shown.tokens_so_far
    context = {
        "conversation": conversation,
        "thread": shown.messages,
        "older_url": shown.older_url,
        "is_waiting": any(message.is_running for message in shown.messages),
        "form": form,
        "total": total,
        "socket_url": socket_url(request, conversation, total) if conversation else "",
    }
    return render(request, "chat/conversation.html", context, status=status)


def socket_url(request: HttpRequest, conversation: Conversation, total: spending.Total) -> str:
    language = getattr(request, "LANGUAGE_CODE", "")
    header = thread.header_mark(conversation.title, conversation.model)
    query = urlencode({"language": language, "header": header, "spent": total.mark})
    return f"/ws/conversations/{conversation.pk}/?{query}"


def composer(
    request: PersonRequest, conversation: Conversation | None, form: ComposerForm, status: int = 200
) -> HttpResponse:
    """The composer alone for htmx, the whole page otherwise."""
    if request.htmx:
        context = {"form": form, "conversation": conversation}
        return render(request, "chat/_composer.html", context, status=status)
    return conversation_page(request, conversation, form, status)


def sidebar_list(request: PersonRequest, text: str = "", undo_url: str = "") -> HttpResponse:
    """The sidebar for htmx, with a note on what was done."""
    context = {"sidebar": sidebar.load(request.user), "text": text, "undo_url": undo_url}
    return render(request, "chat/sidebar_changed.html", context)


def field_note(request: PersonRequest, field_id: str, text: str, status: int) -> HttpResponse:
    """Why what was typed into this field was not taken, said beside it."""
    if not request.htmx:
        return note(request, text, status)
    return render(request, "chat/_field_note.html", {"field_id": field_id, "text": text}, status=status)


def note(request: PersonRequest, text: str, status: int) -> HttpResponse:
    template = "layout_toast.html" if request.htmx else "chat/refused.html"
    return render(request, template, {"text": text}, status=status)
