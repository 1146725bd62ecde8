from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    name = "webchat.backoffice"
    verbose_name = _("Backoffice")
    default = True


class PortalAdminConfig(admin_apps.AdminConfig):
    default_site = "webchat.backoffice.site.PortalAdminSite"
    default = False
