"""What is there on the admin's desk? Each subject has a file of its own; usage is for reading."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from webchat.allocation.models import UsageRecord
from webchat.backoffice import allocations, catalogue, people, requests, tokens  # noqa: F401 (have pages of their own)

# Groups come with allocations. allauth's own pages would show second factors and their secrets.
for model in (Group, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


@admin.register(UsageRecord)
class UsageRecordAdmin(admin.ModelAdmin):
    list_display = [
        "created_at",
        "user",
        "source",
        "model",
        "outcome",
        "prompt_tokens",
        "completion_tokens",
        "origin",
    ]
    list_filter = ["source", "outcome", "origin"]
    list_select_related = ["user"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
