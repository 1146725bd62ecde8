"""How does it stand with one person? What they may spend and did spend, where they are signed in; and what to do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models import Allocation, UsageRecord
from webchat.backoffice.dashboard import share_of
from webchat.backoffice.device import device
from webchat.backoffice.pages import View, needs, page
from webchat.backoffice.tables import Row, Table, shown
from webchat.backoffice.usage_report import Report
from webchat.backoffice.waiting import requests_of

DAYS = 30
LAST_CALLS = 20


class GroupsForm(forms.Form):
    """`seen` are the groups that were shown as chosen: of two who edit at once each changes only what they changed."""

    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=gettext_lazy("Groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    seen = forms.ModelMultipleChoiceField(
        Group.objects.all(), required=False, widget=forms.MultipleHiddenInput
    )


@require_safe
@needs("accounts.view_user", "allocation.view_usagerecord")
def person(request: HttpRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    today = timezone.localdate()
    report = Report.between(today - timedelta(days=DAYS - 1), today, user=one)
    theirs = list(one.groups.order_by("name"))
    return page(
        request,
        "admin/person.html",
        title=one.get_full_name() or one.username,
        person=one,
        days=DAYS,
        report=report,
        allocations=[_shown(allocation) for allocation in _allocations(one)],
        models=report.by_model(),
        calls=_last_calls(one),
        requests=requests_of(one),
        sessions=[
            (session, device(session.user_agent)) for session in UserSession.objects.purge_and_list(one)
        ],
        groups=theirs,
        groups_form=GroupsForm(initial={"groups": theirs, "seen": theirs}),
    )


@admin.display(description=gettext_lazy("allocations and usage"))
def page_link(person: User) -> str:
    """For the list of people."""
    return format_html('<a href="{}">{}</a>', reverse("admin:person", args=[person.pk]), _("Open"))


def _allocations(person: User) -> list[Allocation]:
    """What concerns them now, in the order in which it is tried; then what they had."""
    concerning = list(Allocation.objects.concerning(person).select_related("user", "group"))
    revoked = Allocation.objects.filter(user=person, revoked_at__isnull=False)
    return [*concerning, *revoked.select_related("user").order_by("-revoked_at")]


def _shown(allocation: Allocation) -> dict[str, Any]:
    """What is left, for people."""
    left, (tokens, cost) = allocation.left, allocation.spent
    return {
        "allocation": allocation,
        "spent": f"{shown(tokens)} · {shown(cost)}",
        "left_tokens": None if left.tokens is None else shown(left.tokens),
        "left_cost": None if left.cost is None else shown(left.cost),
        "token_limit": shown(allocation.token_limit),
        "cost_limit": shown(allocation.cost_limit),
        "share": min(round(share_of(allocation) * 100), 100) if allocation.has_limit else None,
    }


def _last_calls(person: User) -> Table:
    """What was called, never what was said."""
    calls = UsageRecord.objects.filter(user=person).order_by("-created_at")[:LAST_CALLS]
    header = [
        _("Asked at"), _("Source"), _("Model"), _("Outcome"), _("Tokens"), _("Cost"), _("Duration (ms)"),
    ]  # fmt: skip
    rows = [
        Row(
            [
                call.created_at,
                call.get_source_display(),
                call.model,
                call.get_outcome_display(),
                call.total_tokens,
                call.spent_cost,
                call.duration_ms,
            ]
        )
        for call in calls
    ]
    return Table("calls", _("Last calls"), header, rows, most=LAST_CALLS, is_wide=True)


# Verbs


def verb(do: Callable[[HttpRequest, User], str]) -> View:
    """Does something about a person, says that it is done, shows the page again. A refusal is a `ValidationError`."""

    def view(request: HttpRequest, pk: UUID) -> HttpResponse:
        one = get_object_or_404(User, pk=pk)
        try:
            messages.success(request, do(request, one))
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        return redirect("admin:person", one.pk)

    return require_POST(view)


def _note(request: HttpRequest, person: User, details: dict[str, Any]) -> None:
    AuditEvent.objects.note(
        cast(User, request.user), AuditEvent.Action.PERSON_CHANGED, person, details=details
    )


@needs("accounts.change_user")
@verb
def deactivate(request: HttpRequest, person: User) -> str:
    if person == request.user:
        raise ValidationError(_("You cannot deactivate yourself. Ask another administrator."))
    person.deactivate(by=cast(User, request.user))
    return _("Done. They can no longer sign in.")


@needs("accounts.change_user")
@verb
def activate(request: HttpRequest, person: User) -> str:
    person.activate(by=cast(User, request.user))
    return _("Done. They can sign in again.")


@needs("accounts.change_user")
@verb
def end_sessions(request: HttpRequest, person: User) -> str:
    """One, or all but the one that this request comes with."""
    sessions = UserSession.objects.filter(user=person)
    if one := request.POST.get("session"):
        sessions = sessions.filter(pk=int(one)) if one.isdecimal() and len(one) < 19 else sessions.none()
    else:
        sessions = sessions.exclude(session_key=request.session.session_key)
    if not (count := sessions.count()):
        raise ValidationError(_("This session has ended already."))
    get_adapter().end_sessions(sessions)
    _note(request, person, {"sessions ended": count})
    return _("Done. Signed out: %(count)d.") % {"count": count}


@needs("accounts.view_user", "auth.change_group")
@verb
def set_groups(request: HttpRequest, person: User) -> str:
    form = GroupsForm(request.POST)
    if not form.is_valid():
        raise ValidationError(_("One of these groups is no longer there. Load the page again."))
    chosen, seen = set(form.cleaned_data["groups"]), set(form.cleaned_data["seen"])
    person.groups.add(*cast(set[Group], chosen - seen))
    person.groups.remove(*cast(set[Group], seen - chosen))
    before, after = (", ".join(sorted(map(str, groups))) for groups in (seen, chosen))
    _note(request, person, {"groups": [before, after]})
    return _("Done. What is granted to their groups counts from the next question on.")
