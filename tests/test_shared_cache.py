"""Redis may be away: people sign in all the same, and rate limits still count."""

from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests.services import free_port
from webchat.accounts.models import User


def test_people_sign_in_while_redis_is_away(alice: User, settings: Settings) -> None:
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "webchat.sharedcache.SharedCache", "LOCATION": location}}
    sent = {"login": "alice", "password": "correct horse battery"}
    assert Client().post("/accounts/login/", sent).status_code == 302
    cache.set("kept", 1)
    assert cache.get("kept") == 1 and cache.add("kept", 2) is False and cache.incr("kept") == 2
