"""How does an admin come in, and go? Through the portal's own doors, with their rate limits and second factors."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from webchat.allocation.models import AllocationRequest


class PortalAdminSite(AdminSite):
    site_header = site_title = settings.TEAM_NAME
    index_title = _("Administration")
    login = method_decorator(secure_admin_login)(AdminSite.login)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        waiting = AllocationRequest.objects.open().count()
        return super().index(request, {"waiting_requests": waiting, **(extra_context or {})})

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if request.method == "POST":
            get_adapter(request).logout(request)
        return super().logout(request, extra_context)
