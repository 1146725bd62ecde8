"""Admins are told once when the upstream begins to refuse a token, and it is forgotten when it works again."""

from django.core import mail
from pytest_django import Settings

from webchat.accounts.models import User
from webchat.allocation import alarms
from webchat.allocation.models import APIToken
from webchat.upstream.errors import NoCredit, TokenRefused


def test_admins_are_told_once(token: APIToken, admin: User, alice: User, settings: Settings) -> None:
    settings.MAIL_CONFIGURED = True
    alarms.token_refused(token, TokenRefused())
    alarms.token_refused(APIToken.objects.get(), TokenRefused())
    (message,) = mail.outbox
    assert message.to == [admin.email] and str(token.pk) in message.body
    assert "refused the API token" in message.body


def test_another_reason_is_news(token: APIToken, admin: User, settings: Settings) -> None:
    settings.MAIL_CONFIGURED = True
    alarms.token_refused(token, TokenRefused())
    alarms.token_refused(APIToken.objects.get(), NoCredit())
    assert len(mail.outbox) == 2


def test_a_mail_server_that_is_away_costs_nobody_an_answer(
    token: APIToken, admin: User, settings: Settings
) -> None:
    settings.MAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    alarms.token_refused(token, NoCredit())
    assert APIToken.objects.get().last_error == "no_credit"


def test_a_success_ends_it(token: APIToken) -> None:
    alarms.token_refused(token, NoCredit())
    APIToken.objects.get().note_success()
    assert APIToken.objects.get().last_error == ""
