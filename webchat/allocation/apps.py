from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AllocationConfig(AppConfig):
    name = "webchat.allocation"
    verbose_name = _("Tokens and usage")

    def ready(self) -> None:
        from webchat.allocation import vault

        vault.check_keys()
