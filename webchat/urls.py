"""The front door for pages. Wiring only."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from webchat.backoffice import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="chat:conversations")),
    path("", include("webchat.chat.urls")),
    path("usage/", include("webchat.allocation.urls")),
    path("accounts/", include("webchat.accounts.urls")),
    path("admin/", include("webchat.backoffice.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
