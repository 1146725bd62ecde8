"""Asking and answering: each view saves, lets the answers come, and returns; the socket brings the rest."""

from collections.abc import Callable
from itertools import chain
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from webchat.accounts.sessions import Ticket
from webchat.allocation.refusals import NotAllowed, Refused
from webchat.chat import events, generation, prompt, recovery, thread
from webchat.chat.forms import ComposerForm
from webchat.chat.models import AnswerStillRunning, ClientIdReused, Conversation, Exchange, Message
from webchat.chat.views.pages import (
    PersonRequest,
    composer,
    conversation_page,
    field_note,
    note,
    signed_in,
    unless_ending,
)
from webchat.upstream.wire import Message as ChatMessage

NotAsked = (AnswerStillRunning, ClientIdReused, Refused)


def begin(request: PersonRequest) -> HttpResponse:
    """The first question of a new conversation."""
    form = ComposerForm(request.POST, conversation=None)
    exchange = _ask(request, form, lambda sent: Conversation.objects.begin(request.user, **sent))
    if exchange is None:
        return composer(request, None, form, _status(form))
    url = exchange.conversation.get_absolute_url()
    return HttpResponseClientRedirect(url) if request.htmx else _see_other(url)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
@unless_ending
def messages(request: PersonRequest, pk: UUID) -> HttpResponse:
    """GET: what was said before the messages that are shown. POST: the next question."""
    try:
        conversation = Conversation.objects.one_of(request.user, pk)
    except Conversation.DoesNotExist:
        raise Http404 from None
    return create_message(request, conversation) if request.method == "POST" else older(request, conversation)


def older(request: PersonRequest, conversation: Conversation) -> HttpResponse:
    before = _uuid(request.GET.get("before", ""))
    shown = thread.load(conversation, before)
    context = {"conversation": conversation, "thread": shown.messages, "older_url": shown.older_url}
    if request.htmx:
        return render(request, "chat/_messages.html", context)
    return render(request, "chat/older.html", context)


def create_message(request: PersonRequest, conversation: Conversation) -> HttpResponse:
    form = ComposerForm(request.POST, conversation=conversation, after=conversation.leaf_id)
    if _ask(request, form, lambda sent: conversation.ask(**sent)) is None:
        return composer(request, conversation, form, _status(form))
    if request.htmx:
        return composer(request, conversation, form.fresh())
    return _see_other(conversation.get_absolute_url())


@signed_in
@require_POST
@unless_ending
def create_edit(request: PersonRequest, pk: UUID) -> HttpResponse:
    message = _message(request, pk, Message.Role.USER)
    conversation = message.conversation
    form = ComposerForm(request.POST, conversation=conversation, after=message.parent_id)
    if _ask(request, form, lambda sent: conversation.ask(after=message.parent, **sent)) is None:
        if request.htmx:
            text = " ".join(map(str, chain(*form.errors.values())))
            return field_note(request, f"edit-{pk}", text, _status(form))
        return conversation_page(request, conversation, form, _status(form))
    return _done(request, conversation)


@signed_in
@require_POST
@unless_ending
def create_answer(request: PersonRequest, pk: UUID) -> HttpResponse:
    message = _message(request, pk)
    return _answer(request, message, message.parent if message.is_answer else message)


@signed_in
@require_POST
@unless_ending
def continue_answer(request: PersonRequest, pk: UUID) -> HttpResponse:
    message = _message(request, pk, Message.Role.ASSISTANT)
    if message.is_running:
        return note(request, _sentence(AnswerStillRunning()), 422)
    if not message.can_continue:
        return note(request, _("This answer is complete; there is nothing to continue."), 422)
    return _answer(request, message, message.parent, beginning=message.text)


@signed_in
@require_POST
def stop(request: PersonRequest, pk: UUID) -> HttpResponse:
    message = _message(request, pk, Message.Role.ASSISTANT)
    generation.stop(message)
    return _done(request, message.conversation)


@signed_in
@require_POST
def choose(request: PersonRequest, pk: UUID) -> HttpResponse:
    message = _message(request, pk)
    message.conversation.show_branch_of(message)
    events.tell_conversation_changed(message.conversation_id)
    return _done(request, message.conversation)


def _message(request: PersonRequest, pk: UUID, role: str | None = None) -> Message:
    mine = Message.objects.owned_by(request.user).select_related("conversation", "parent")
    return get_object_or_404(mine.filter(role=role) if role else mine, pk=pk)


def _ask(
    request: PersonRequest, form: ComposerForm, verb: Callable[[dict[str, Any]], Exchange]
) -> Exchange | None:
    """Say the verb with what the form holds and let the answers come; None with the reason in the form."""
    if not form.is_valid():
        return None
    cleaned = form.cleaned_data
    sent = {
        "text": cleaned["text"],
        "client_id": cleaned["client_id"],
        "parameters": form.parameters,
        "need": form.need,
    }
    try:
        exchange = _past_lost_answers(lambda: verb(sent))
    except NotAsked as refusal:
        form.add_error(None, _sentence(refusal))
        form.is_refused = _is_out_of_budget(refusal)
        return None
    # Another tab may have gone on meanwhile; then the prompt is another one, too.
    is_known = form.prompt_is_final and exchange.question.parent_id == form.after
    _start(request, exchange, form.prompt if is_known else None)
    return exchange


def _past_lost_answers(verb: Callable[[], Exchange]) -> Exchange:
    """What seems to be arriving may have been lost with its process; then it is ended and not in the way."""
    try:
        return verb()
    except AnswerStillRunning:
        if not recovery.end_lost_answers():
            raise
        return verb()


def _answer(
    request: PersonRequest, message: Message, question: Message | None, beginning: str = ""
) -> HttpResponse:
    if question is None:
        raise Http404
    conversation = message.conversation
    client_id = _uuid(request.POST.get("client_id", ""))
    need = prompt.need(conversation, question, beginning=beginning)
    try:
        exchange = _past_lost_answers(
            lambda: conversation.answer(question, client_id=client_id, need=need, beginning=beginning)
        )
    except NotAsked as refusal:
        return note(request, _sentence(refusal), 429 if _is_out_of_budget(refusal) else 422)
    _start(request, exchange)
    return _done(request, conversation)


def _start(request: PersonRequest, exchange: Exchange, messages: list[ChatMessage] | None = None) -> None:
    generation.start(exchange, Ticket.of(request.session, request.user), messages)


def _sentence(refusal: Exception) -> str:
    match refusal:
        case AnswerStillRunning():
            return _("An answer is still arriving. Wait for it or stop it, then send this.")
        case ClientIdReused():
            return _("This was sent already, in other words. Reload the page before you send something new.")
        case _:
            return str(refusal)


def _is_out_of_budget(refusal: Exception) -> bool:
    return isinstance(refusal, Refused) and not isinstance(refusal, NotAllowed)


def _status(form: ComposerForm) -> int:
    return 429 if form.is_refused else 422


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _done(request: PersonRequest, conversation: Conversation) -> HttpResponse:
    if request.htmx:
        return HttpResponse(status=204)
    return _see_other(conversation.get_absolute_url())


def _see_other(url: str) -> HttpResponse:
    return HttpResponseRedirect(url, status=303)
