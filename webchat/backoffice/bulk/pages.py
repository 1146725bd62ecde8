"""Where does an admin invite and grant to many? A form, a preview of each line, and a report of each line."""

from dataclasses import asdict
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from webchat.accounts.models import User
from webchat.backoffice.bulk import deed, plan, table

SALT = "webchat.backoffice.bulk"
# Longer nobody looks at a preview, and less and less of it is still so.
PLAN_LASTS = 3600


class TableForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("CSV file"), required=False, allow_empty_file=True)
    pasted = forms.CharField(
        label=gettext_lazy("or its lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80}),
    )
    existing = forms.ChoiceField(
        label=gettext_lazy("Who has an allocation already"),
        choices=[
            (plan.ADD, gettext_lazy("gets this one besides")),
            (plan.CHANGE, gettext_lazy("has it changed to this")),
        ],
        initial=plan.ADD,
        widget=forms.RadioSelect,
    )
    creates_groups = forms.BooleanField(
        label=gettext_lazy("Create groups that are not there yet"), required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, pasted = cleaned.get("file"), cleaned.get("pasted") or ""
        if file and pasted.strip():
            raise ValidationError(_("Choose a file or paste its lines, not both."))
        if not file and not pasted.strip():
            raise ValidationError(_("Choose a file, or paste its lines."))
        if file and file.size > table.MOST_BYTES:
            raise ValidationError(table.too_large())
        cleaned["table"] = table.read(file.read() if file else pasted.encode("utf-8", "replace"))
        return cleaned


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perms(["allocation.add_allocation", "allocation.change_allocation"]):
        raise PermissionDenied
    if request.method == "POST" and "plan" in request.POST:
        return _report(request)
    form = TableForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return _preview(request, form)
    status = 422 if form.is_bound else 200
    return _render(request, "form", status=status, form=form, columns=table.COLUMNS, most=table.MOST_LINES)


def _preview(request: HttpRequest, form: TableForm) -> HttpResponse:
    read: table.Table = form.cleaned_data["table"]
    wishes = plan.Wishes(
        existing=form.cleaned_data["existing"],
        creates_groups=form.cleaned_data["creates_groups"],
        may_invite=request.user.has_perm("accounts.add_invitation"),
    )
    steps = plan.make(read.lines, wishes)
    to_do = [step for step in steps if step.verb not in (plan.WRONG, plan.NOTHING)]
    content = {"by": str(request.user.pk), "steps": [asdict(step) for step in to_do]}
    return _render(
        request,
        "preview",
        steps=steps,
        to_do=len(to_do),
        wrong=sum(step.verb == plan.WRONG for step in steps),
        is_gbk=read.is_gbk,
        plan=signing.dumps(content, salt=SALT, compress=True),
    )


def _report(request: HttpRequest) -> HttpResponse:
    """Of what is done now: exactly what was signed."""
    try:
        content = signing.loads(request.POST["plan"], salt=SALT, max_age=PLAN_LASTS)
    except signing.SignatureExpired:
        return _again(request, _("The preview is more than an hour old. Nothing was done; make it anew."))
    except signing.BadSignature:
        return _again(request, _("This is not what was shown in the preview. Nothing was done."))
    if content["by"] != str(request.user.pk):
        return _again(request, _("Somebody else made this preview. Nothing was done; make it anew."))
    steps = [plan.Step(**step) for step in content["steps"]]
    if any(step.verb == plan.INVITE for step in steps) and not request.user.has_perm(
        "accounts.add_invitation"
    ):
        raise PermissionDenied
    outcomes = deed.carry_out(steps, cast(User, request.user))
    done = sum(outcome.is_done for outcome in outcomes)
    return _render(request, "report", outcomes=outcomes, done=done, not_done=len(outcomes) - done)


def _again(request: HttpRequest, sentence: str) -> HttpResponse:
    form = TableForm()
    return _render(
        request,
        "form",
        status=422,
        form=form,
        columns=table.COLUMNS,
        most=table.MOST_LINES,
        sentence=sentence,
    )


def _render(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {**admin.site.each_context(request), "title": _("Invite and grant from a list")}
    return render(request, f"admin/bulk/{name}.html", context, status=status)
