"""Where is what about one's own usage?"""

from django.urls import path

from webchat.allocation import asking

app_name = "allocation"
urlpatterns = [
    path("ask/", asking.ask, name="ask"),
    path("ask/<uuid:pk>/withdraw/", asking.withdraw, name="withdraw"),
]
