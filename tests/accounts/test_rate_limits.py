import pytest
from django.test import Client

from tests.accounts.browsing import PASSWORD, is_signed_in, post_login
from webchat.accounts.models import Invitation


def statuses(count, post):
    return [post(number).status_code for number in range(count)]


def test_one_account_is_closed_after_five_mistakes_from_anywhere(person):
    answers = statuses(7, lambda n: post_login(Client(REMOTE_ADDR=f"10.0.0.{n}"), "alice", "wrong"))
    assert answers == [200] * 5 + [429] * 2


def test_the_right_password_does_not_open_a_closed_account_but_another_one_is_free(person, boss):
    statuses(5, lambda n: post_login(Client(), "alice", "wrong"))
    browser = Client()
    answer = post_login(browser, "alice", PASSWORD)
    assert answer.status_code == 429
    assert "wait a few minutes" in answer.content.decode()
    assert not is_signed_in(browser)
    assert post_login(browser, "boss", PASSWORD).status_code == 302


def test_one_place_may_not_try_account_after_account(db):
    answers = statuses(12, lambda n: post_login(Client(), f"name{n}", "wrong"))
    assert answers == [200] * 10 + [429] * 2


def test_signing_in_rightly_is_limited_by_place_too(person, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "3/m/ip"}
    answers = statuses(4, lambda n: post_login(Client(), "alice", PASSWORD))
    assert answers == [302] * 3 + [429]


@pytest.mark.parametrize("forged", ["10.1.1.{}", "1.2.3.4, 10.1.1.{}"])
def test_an_invented_forwarding_header_does_not_help(person, forged):
    def post(n):
        browser = Client(headers={"X-Forwarded-For": forged.format(n)})
        return post_login(browser, f"name{n}", "wrong")

    assert statuses(11, post)[-1] == 429


def test_behind_a_proxy_the_limit_counts_what_the_proxy_saw(person, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def post(n, seen):
        browser = Client(headers={"X-Forwarded-For": f"10.9.9.{n}, {seen}"})
        return post_login(browser, f"name{n}", "wrong")

    assert statuses(11, lambda n: post(n, "192.0.2.1"))[-1] == 429
    assert post(99, "192.0.2.2").status_code == 200


def test_resets_are_limited_by_account_and_by_place(person):
    def reset(address, place):
        return Client(REMOTE_ADDR=place).post("/accounts/password/reset/", {"email": address})

    assert statuses(6, lambda n: reset("alice@example.com", f"10.0.0.{n}")) == [302] * 5 + [429]
    assert statuses(21, lambda n: reset(f"n{n}@example.com", "10.0.1.1")) == [302] * 20 + [429]


def test_signing_up_is_limited_by_place(boss):
    browser = Client()
    _, token = Invitation.objects.issue(boss)
    browser.get(f"/accounts/invitations/{token}/")
    answers = statuses(21, lambda n: browser.post("/accounts/signup/", {"username": "x"}))
    assert answers == [200] * 20 + [429]


def test_confirming_ones_password_is_limited(sign_in):
    browser = sign_in()
    assert statuses(6, lambda n: browser.post("/accounts/reauthenticate/", {"password": "wrong"}))[-1] == 429
