"""Which pages of the desk are not Django admin's own?"""

from django.contrib import admin
from django.urls import path

from webchat.backoffice.bulk import pages as bulk

app_name = "backoffice"
urlpatterns = [
    path("bulk/", admin.site.admin_view(bulk.page), name="bulk"),
]
