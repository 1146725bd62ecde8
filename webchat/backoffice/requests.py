"""Who asks for more, and what is decided? A queue, and a page with all that one needs to know to decide."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webchat.accounts.models import User
from webchat.allocation import letters
from webchat.allocation.forms import MoreForm, wanted
from webchat.allocation.models import Allocation, AllocationRequest, ChangedMeanwhile, UsageDay
from webchat.allocation.models.request_step import LONGEST_TEXT, amounts
from webchat.allocation.money import shown

DAYS = 30
EARLIER = 10
State = AllocationRequest.State


class DecisionForm(MoreForm):
    """Begins with what was asked for; granted otherwise, the request is one that was changed."""

    way = forms.ChoiceField(label=gettext_lazy("How"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Whoever asked reads it. To refuse, say why."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, asked: AllocationRequest) -> None:
        super().__init__(data, initial={**wanted(asked), "seen_version": asked.version})
        self.asked = asked
        self.ways = {f"top-{one.pk}": {"like": one} for one in asked.patterns} or {"top": {}}
        self.ways |= {f"raise-{one.pk}": {"raising": one} for one in asked.to_raise}
        cast(forms.ChoiceField, self.fields["way"]).choices = [
            (key, _label(way)) for key, way in self.ways.items()
        ]
        self.initial["way"] = next(iter(self.ways))

    def grant(self, actor: User) -> bool:
        """False with the reason in the form. Raises `ChangedMeanwhile`."""
        if not self.is_valid():
            return False
        more = self.more
        asked = {name: getattr(self.asked, name) for name in more}
        how = {"version": self.cleaned_data["seen_version"], **self.ways[self.cleaned_data["way"]]}
        if more == asked:
            self.asked.grant(actor, self.cleaned_data["note"], **how)
        else:
            self.asked.change(actor, self.cleaned_data["note"], **more, **how)
        return True

    def refuse(self, actor: User) -> bool:
        """Whatever stands in the other fields. False with the reason in the form. Raises `ChangedMeanwhile`."""
        for name in ("tokens", "cost", "until", "way"):
            self.errors.pop(name, None)
        if self.errors:
            return False
        self.asked.refuse(actor, self.cleaned_data["note"], version=self.cleaned_data["seen_version"])
        return True


def _label(way: dict[str, Allocation]) -> str:
    if one := way.get("raising"):
        limit = amounts(one.token_limit, one.cost_limit)
        text = _(
            "For good: raise the limits of “%(allocation)s” (now %(limit)s) by it. “Until” does not count then."
        )
        return text % {"allocation": one, "limit": limit}
    if one := way.get("like"):
        text = _(
            "Once, on top of what there is, used last; models, pace and API tokens as in “%(allocation)s”"
        )
        return text % {"allocation": one}
    return _("Once, for every model and with any API token")


class IsDecided(admin.SimpleListFilter):
    title = gettext_lazy("decision")
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", str(State.OPEN.label)), ("yes", _("decided or withdrawn"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "no":
                return queryset.filter(state=State.OPEN)
            case "yes":
                return queryset.exclude(state=State.OPEN)
        return queryset


@admin.register(AllocationRequest)
class AllocationRequestAdmin(admin.ModelAdmin):
    list_display = ["user", "asks_for", "why", "state", "asked_at", "decided_by"]
    list_filter = [IsDecided, "state"]
    list_select_related = ["user", "decided_by"]
    search_fields = ["user__username", "user__email", "reason", "note"]
    actions = None

    @admin.display(description=gettext_lazy("asks for"))
    def asks_for(self, asked: AllocationRequest) -> str:
        return asked.in_words

    @admin.display(description=gettext_lazy("reason"))
    def why(self, asked: AllocationRequest) -> str:
        return Truncator(asked.reason).chars(100)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_ordering(self, request: HttpRequest) -> Any:
        """Those that wait come first."""
        return [Case(When(state=State.OPEN, then=0), default=1), "-asked_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """They go along with the person, not by themselves; without the permission the person could not go."""
        raise PermissionDenied

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        asked = self.get_object(request, object_id)
        if asked is None:
            raise Http404
        if not self.has_view_or_change_permission(request, asked):
            raise PermissionDenied
        form = DecisionForm(request.POST if request.method == "POST" else None, asked)
        if request.method == "POST":
            if not self.has_change_permission(request, asked):
                raise PermissionDenied
            if done := self._decide(request, asked, form):
                return done
        return self._page(request, asked, form)

    def _decide(
        self, request: HttpRequest, asked: AllocationRequest, form: DecisionForm
    ) -> HttpResponse | None:
        """Where to go on; nowhere when the form has to be corrected."""
        verb = form.refuse if request.POST.get("decision") == "refuse" else form.grant
        try:
            if not verb(cast(User, request.user)):
                return None
        except ValidationError as error:
            form.add_refusal(error)
            return None
        except ChangedMeanwhile:
            messages.error(request, _overtaken(asked))
            return redirect("admin:allocation_allocationrequest_change", asked.pk)
        letters.tell_person(asked)
        self.log_change(request, asked, asked.get_state_display())
        text = _("%(state)s: %(request)s") % {"request": asked, "state": asked.get_state_display()}
        messages.success(request, text)
        return redirect("admin:allocation_allocationrequest_changelist")

    def _page(self, request: HttpRequest, asked: AllocationRequest, form: DecisionForm) -> HttpResponse:
        theirs = AllocationRequest.objects.filter(user=asked.user).exclude(pk=asked.pk)
        may_decide = asked.is_open and self.has_change_permission(request, asked)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("%(person)s asks for more") % {"person": asked.user},
            "asked": asked,
            "form": form if may_decide else None,
            "allocations": _allocations(asked.user),
            "usage": _usage(asked.user),
            "earlier": theirs.prefetch_related("steps__actor")[:EARLIER],
        }
        return render(request, "admin/allocation/allocationrequest/decide.html", context)


def _overtaken(asked: AllocationRequest) -> str:
    asked = AllocationRequest.objects.select_related("decided_by").get(pk=asked.pk)
    if asked.state == State.WITHDRAWN:
        return _("This was withdrawn meanwhile, by %(person)s.") % {"person": asked.user}
    if not asked.is_open:
        values = {"person": asked.decided_by, "state": asked.get_state_display()}
        return _("This was decided already, by %(person)s: %(state)s.") % values
    return _("This has changed since you looked at it. Look again, then decide.")


def _allocations(user: User) -> list[dict[str, Any]]:
    used = {one.pk for one in Allocation.objects.open_to(user)}
    return [
        {
            "allocation": one,
            "is_used": one.pk in used,
            "limit": amounts(one.token_limit, one.cost_limit),
            "spent": amounts(*one.spent),
            "left": amounts(one.left.tokens, one.left.cost),
        }
        for one in Allocation.objects.concerning(user).select_related("user", "group")
    ]


def _usage(user: User) -> list[dict[str, Any]]:
    """Of the last days, by model."""
    today = timezone.localdate()
    days = UsageDay.objects.filter(user=user).between(today - timedelta(days=DAYS - 1), today)
    return [
        {
            "model": row["model"],
            "calls": row["calls_sum"],
            "tokens": row["prompt_tokens_sum"] + row["completion_tokens_sum"],
            "cost": shown(row["cost_sum"]),
        }
        for row in days.summed_by("model")
    ]
