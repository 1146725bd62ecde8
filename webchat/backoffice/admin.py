"""What is there on the admin's desk? Each subject has a file of its own, which registers its pages."""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

from webchat.backoffice import allocations, books, catalogue, groups, people, requests, tokens  # noqa: F401

# allauth's own pages would show second factors and their secrets.
for model in (Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)
