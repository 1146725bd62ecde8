"""Nobody learns from us who has an account: same text, same work."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from tests.accounts.browsing import PASSWORD, bare, post_login
from webchat.accounts.models import Invitation, User

HASHED: list[str] = []


class CountingHasher(MD5PasswordHasher):
    def encode(self, password, salt):
        HASHED.append(password)
        return super().encode(password, salt)


@pytest.fixture
def inactive(db):
    return User.objects.create_user("gone", "gone@example.com", PASSWORD, is_active=False)


def test_unknown_mistaken_and_deactivated_people_see_the_same_page(person, inactive):
    tries = [("alice", "wrong"), ("nobody", "wrong"), ("gone", "wrong"), ("gone", PASSWORD)]
    pages = {
        (a.status_code, bare(a, login)) for login, pw in tries for a in [post_login(Client(), login, pw)]
    }
    assert len(pages) == 1
    tries = [(f"{login}@example.com", password) for login, password in tries]
    pages |= {
        (a.status_code, bare(a, login)) for login, pw in tries for a in [post_login(Client(), login, pw)]
    }
    assert len(pages) == 1


@pytest.mark.parametrize(
    "login", ["alice", "alice@example.com", "gone", "gone@example.com", "nobody", "no@example.com"]
)
@pytest.mark.parametrize("password", ["wrong", PASSWORD])
def test_every_attempt_hashes_exactly_once(settings, person, inactive, login, password):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    for user in (person, inactive):
        user.set_password(PASSWORD)
        user.save()
    HASHED.clear()
    post_login(Client(), login, password)
    assert [password] == HASHED


def test_a_reset_says_and_does_the_same_for_every_address(person, inactive):
    answers = set()
    for address in ("alice@example.com", "nobody@example.com", "gone@example.com"):
        browser = Client()
        answer = browser.post("/accounts/password/reset/", {"email": address})
        answers.add((answer.status_code, answer["Location"], bare(browser.get(answer["Location"]), address)))
    assert len(answers) == 1
    assert [letter.to for letter in mail.outbox] == [
        ["alice@example.com"],
        ["nobody@example.com"],
        ["gone@example.com"],
    ]
    assert "/password/reset/key/" in mail.outbox[0].body
    assert "/password/reset/key/" not in mail.outbox[1].body + mail.outbox[2].body


def test_signing_up_does_not_tell_whether_an_address_is_known(person, boss):
    answers = set()
    for number, address in enumerate(["alice@example.com", "new@example.com"]):
        browser = Client()
        browser.get(Invitation.link(Invitation.objects.issue(boss)[1]).removeprefix("http://127.0.0.1:8000"))
        form = {"username": f"new{number}", "email": address, "password1": PASSWORD, "password2": PASSWORD}
        answer = browser.post("/accounts/signup/", form)
        answers.add((answer.status_code, answer["Location"]))
    assert answers == {(302, "/conversations/")}


def test_without_an_invitation_signing_up_tells_nothing_at_all(client, person):
    form = {"username": "alice", "email": "alice@example.com", "password1": PASSWORD, "password2": PASSWORD}
    known = client.post("/accounts/signup/", form)
    unknown = client.post("/accounts/signup/", form | {"username": "x", "email": "x@example.com"})
    assert bare(known) == bare(unknown)
    assert "invitation" in known.content.decode()
    assert User.objects.count() == 1
