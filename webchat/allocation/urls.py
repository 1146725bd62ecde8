"""Where is what under /usage/?"""

from django.urls import path

from webchat.allocation import asking, views

app_name = "allocation"
urlpatterns = [
    path("", views.my_usage, name="my_usage"),
    path("left/", views.left, name="left"),
    path("sums.csv", views.sums_csv, name="sums_csv"),
    path("calls.csv", views.calls_csv, name="calls_csv"),
    path("ask/", asking.ask, name="ask"),
    path("ask/<uuid:pk>/withdraw/", asking.withdraw, name="withdraw"),
]
