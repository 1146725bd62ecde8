"""What does the upstream offer?"""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _


class ModelInfoQuerySet(models.QuerySet["ModelInfo"]):
    def offered(self) -> Self:
        return self.filter(is_available=True)


class ModelInfo(models.Model):
    """A model as the upstream last listed it."""

    name = models.CharField(max_length=200, unique=True)
    owned_by = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20)
    position = models.PositiveIntegerField()
    is_available = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    objects = ModelInfoQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
