"""Where is what under /accounts/? Our own pages, then allauth's."""

from django.urls import include, path

from webchat.accounts import views

own = [
    path("", views.profile, name="profile"),
    path("notices/<uuid:pk>/dismiss/", views.dismiss_notice, name="dismiss_notice"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
    path("oidc/<str:provider_id>/login/", views.single_sign_on, name="single_sign_on"),
]

urlpatterns = [
    path("", include((own, "accounts"))),
    path("", include("allauth.urls")),
]
