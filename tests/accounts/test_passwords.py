import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from tests.accounts.browsing import PASSWORD, is_signed_in, post_login
from webchat.accounts.models import User

NEW = "another good phrase"


def change(browser: Client, new: str = NEW, old: str = PASSWORD):
    form = {"oldpassword": old, "password1": new, "password2": new}
    return browser.post("/accounts/password/change/", form)


def test_changing_it_ends_every_other_session_and_keeps_this_one(sign_in, person):
    here, elsewhere = sign_in(), sign_in()
    key_elsewhere = elsewhere.session.session_key
    assert change(here).status_code == 302
    assert not Session.objects.filter(pk=key_elsewhere).exists()
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert authenticate(username="alice", password=NEW) == person


def test_the_old_one_must_be_right(sign_in):
    answer = change(sign_in(), old="wrong")
    assert answer.status_code == 200
    assert "current password" in answer.content.decode()


def test_a_reset_by_mail_sets_a_new_one_and_ends_all_sessions(sign_in, person):
    elsewhere, browser = sign_in(), Client()
    key_elsewhere = elsewhere.session.session_key
    browser.post("/accounts/password/reset/", {"email": "alice@example.com"})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form_url = browser.get(link)["Location"]
    assert browser.post(form_url, {"password1": NEW, "password2": NEW}).status_code == 302
    assert not Session.objects.filter(pk=key_elsewhere).exists()
    assert not is_signed_in(elsewhere)
    assert post_login(browser, "alice", NEW).status_code == 302
    assert "invalid" in Client().get(link).content.decode()


def test_a_portal_without_mail_says_whom_to_ask(client, db, settings):
    settings.MAIL_CONFIGURED = False
    assert "ask an administrator" in client.get("/accounts/password/reset/").content.decode()


def test_more_than_128_characters_are_refused_before_hashing(person, client):
    long = "long enough " * 11
    user = User.objects.get(pk=person.pk)
    user.set_password(long)
    user.save()
    # The hash would match: it is not asked.
    assert not user.check_password(long)
    assert authenticate(username="alice", password=long) is None
    assert post_login(client, "alice", long).status_code == 200
    with pytest.raises(ValidationError):
        validate_password(long)
    validate_password(long[:128])


def test_changing_to_a_long_one_is_told_beside_the_field(sign_in):
    answer = change(sign_in(), new="long enough " * 11)
    assert answer.status_code == 200
    assert "at most 128 characters" in answer.content.decode()
