"""Who belongs together, so that an allocation can be granted to all of them? Groups carry no permissions."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple, RelatedFieldWidgetWrapper
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from webchat.accounts.models import User


class GroupForm(forms.ModelForm):
    members = forms.ModelMultipleChoiceField(
        User.objects.order_by("username"),
        label=_("members"),
        required=False,
        # In the box in which Django's own script expects it, but without links to add people.
        widget=RelatedFieldWidgetWrapper(
            FilteredSelectMultiple(_("members"), is_stacked=False),
            cast(Any, Group.user_set.rel),
            admin.site,
            can_add_related=False,
        ),
    )

    class Meta:
        model = Group
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["members"] = self.instance.user_set.all()

    def _save_m2m(self) -> None:
        """Django saves relations here, when the group is there."""
        super()._save_m2m()  # type: ignore[misc]
        self.instance.user_set.set(self.cleaned_data["members"])


# Django's own page is about permissions.
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):
    form = GroupForm
    fields = ["name", "members"]
    list_display = ["name", "members"]
    search_fields = ["name"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(member_count=Count("user"))

    @admin.display(description=_("members"), ordering="member_count")
    def members(self, group: Any) -> int:
        count: int = group.member_count
        return count
