"""How does an admin come in, and go? Through the portal's own doors, with their rate limits and second factors."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webchat.allocation.models import AllocationRequest
from webchat.backoffice import corrections, dashboard, person, what_if
from webchat.backoffice.pages import View


class PortalAdminSite(AdminSite):
    site_header = site_title = settings.TEAM_NAME
    index_title = gettext_lazy("Administration")
    login = method_decorator(secure_admin_login)(AdminSite.login)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        waiting = AllocationRequest.objects.open().count()
        return super().index(request, {"waiting_requests": waiting, **(extra_context or {})})

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if request.method == "POST":
            get_adapter(request).logout(request)
        return super().logout(request, extra_context)

    def get_urls(self) -> list[Any]:
        def ours(route: str, view: View, name: str) -> Any:
            return path(route, self.admin_view(view), name=name)

        return [
            ours("dashboard/", dashboard.dashboard, "dashboard"),
            ours("dashboard/<slug:name>.csv", dashboard.dashboard_csv, "dashboard_csv"),
            ours("people/<uuid:pk>/", person.person, "person"),
            ours("people/<uuid:pk>/deactivation/", person.deactivate, "person_deactivate"),
            ours("people/<uuid:pk>/activation/", person.activate, "person_activate"),
            ours("people/<uuid:pk>/ended-sessions/", person.end_sessions, "person_end_sessions"),
            ours("people/<uuid:pk>/groups/", person.set_groups, "person_groups"),
            ours("allocations/<uuid:pk>/revocation/", corrections.revoke, "allocation_revoke"),
            ours("allocations/<uuid:pk>/adjustments/", corrections.adjust, "allocation_adjust"),
            ours("what-if/allocation/", what_if.what_if_granted, "what_if_granted_anew"),
            ours("what-if/allocation/<uuid:pk>/", what_if.what_if_granted, "what_if_granted"),
            ours("what-if/prices/<int:pk>/", what_if.what_if_priced, "what_if_priced"),
            *super().get_urls(),
        ]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The pages of our own come first, on the index and in the sidebar."""
        rooms = super().get_app_list(request, app_label)
        if app_label or not request.user.has_perm("allocation.view_usagerecord"):
            return rooms
        link = {
            "name": _("Dashboard"),
            "object_name": "Dashboard",
            "admin_url": reverse("admin:dashboard"),
            "view_only": True,
        }
        overview = {
            "name": _("Overview"),
            "app_label": "overview",
            "app_url": link["admin_url"],
            "models": [link],
        }
        return [overview, *rooms]
