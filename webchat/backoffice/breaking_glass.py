"""How does an owner read somebody's conversations? For a reason, for a while, noted, and that person is told."""

import logging
import smtplib
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webchat.accounts.models import BreakGlass, User
from webchat.chat import thread
from webchat.chat.models import Conversation

CONVERSATIONS_A_PAGE = 50

logger = logging.getLogger(__name__)


class BreakGlassForm(forms.ModelForm):
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("For how long"), coerce=int, choices=BreakGlass.Limit.choices
    )

    class Meta:
        model = BreakGlass
        fields = ["reason"]
        labels = {"reason": gettext_lazy("Reason")}
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}


def urls() -> list[Any]:
    """Below the page of the person."""
    guarded = admin.site.admin_view
    of_person = "<uuid:person_pk>/break-glass/"
    of_glass = f"{of_person}<uuid:pk>/"
    return [
        path(of_person, guarded(open_glass), name="break_glass"),
        path(of_glass, guarded(conversations), name="break_glass_conversations"),
        path(f"{of_glass}close/", guarded(close), name="break_glass_close"),
        path(f"{of_glass}<uuid:conversation_pk>/", guarded(conversation), name="break_glass_conversation"),
    ]


def owners_only(request: HttpRequest) -> User:
    user = cast(User, request.user)
    if not user.has_perm("accounts.add_breakglass"):
        raise PermissionDenied
    return user


@require_http_methods(["GET", "HEAD", "POST"])
def open_glass(request: HttpRequest, person_pk: UUID) -> HttpResponse:
    """Say why and for how long. Whoever has one open already goes on with that."""
    user = owners_only(request)
    person = get_object_or_404(User, pk=person_pk)
    if earlier := person.break_glasses.still_open().filter(opened_by=user).first():
        return redirect("admin:break_glass_conversations", person.pk, earlier.pk)
    form = BreakGlassForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        glass = BreakGlass.objects.open(user, person, **form.cleaned_data)
        tell_by_mail(glass)
        return redirect("admin:break_glass_conversations", person.pk, glass.pk)
    title = _("Read the conversations of %(person)s") % {"person": person}
    return page(request, "open", {"title": title, "person": person, "form": form})


def tell_by_mail(glass: BreakGlass) -> None:
    """Beside the notice in the portal."""
    if not settings.MAIL_CONFIGURED or not glass.person.email:
        return
    text = render_to_string("accounts/mail/break_glass.txt", {"glass": glass, "SITE_URL": settings.SITE_URL})
    try:
        send_mail(_("Somebody may read your conversations"), text, None, [glass.person.email])
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("%s could not be told by mail: %s", glass.person, type(error).__name__)


def while_open(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For whoever opened it, and as long as it lasts; for others it is not there."""

    @wraps(view)
    def guard(request: HttpRequest, person_pk: UUID, pk: UUID, **others: UUID) -> HttpResponse:
        user = owners_only(request)
        glasses = BreakGlass.objects.select_related("person", "opened_by")
        glass = get_object_or_404(glasses, pk=pk, person_id=person_pk, opened_by=user)
        if glass.is_open:
            return view(request, glass, **others)
        context = {"title": _("The time for reading is over"), "person": glass.person, "glass": glass}
        return page(request, "over", context, status=403)

    return guard


@require_safe
@while_open
def conversations(request: HttpRequest, glass: BreakGlass) -> HttpResponse:
    theirs = Conversation.objects.owned_by(glass.person).order_by("-active_at", "-pk")
    counted = theirs.annotate(count=Count("messages"))
    shown = Paginator(counted, CONVERSATIONS_A_PAGE).get_page(request.GET.get("page"))
    title = _("Conversations of %(person)s") % {"person": glass.person}
    return page(request, "conversations", {"title": title, "glass": glass, "page": shown})


@require_safe
@while_open
def conversation(request: HttpRequest, glass: BreakGlass, conversation_pk: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.owned_by(glass.person), pk=conversation_pk)
    before = is_id(request.GET.get("before", ""))
    if before is None or not glass.has_read(found.pk):
        glass.note_reading(found.pk)
    shown = thread.load(found, before)
    context = {
        "title": found.display_title,
        "glass": glass,
        "conversation": found,
        "thread": shown.messages,
        "older": shown.messages[0].pk if shown.older_url and shown.messages else None,
    }
    return page(request, "conversation", context)


def is_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_POST
@while_open
def close(request: HttpRequest, glass: BreakGlass) -> HttpResponse:
    glass.close(cast(User, request.user))
    messages.success(request, _("Closed. Nothing more can be read."))
    return redirect("admin:accounts_user_change", glass.person_id)


def page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    whole = {
        **admin.site.each_context(request),
        "opts": User._meta,
        "person": context["person"] if "person" in context else context["glass"].person,
        **context,
    }
    return render(request, f"admin/accounts/user/break_glass/{name}.html", whole, status=status)
