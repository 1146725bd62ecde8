import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.accounts.browsing import PASSWORD, bare, is_signed_in
from webchat.accounts.adapter import AccountAdapter
from webchat.accounts.models import Invitation, User


def follow(token: str) -> Client:
    browser = Client()
    answer = browser.get(f"/accounts/invitations/{token}/")
    assert answer["Location"] == "/accounts/signup/"
    return browser


def sign_up(browser: Client, username: str = "bob", email: str = "bob@example.com", query: str = ""):
    form = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return browser.post(f"/accounts/signup/{query}", form)


def test_an_invitation_lets_one_person_sign_up_once(boss):
    invitation, token = Invitation.objects.issue(boss)
    browser = follow(token)
    assert sign_up(browser)["Location"] == "/conversations/"
    assert is_signed_in(browser)
    invitation.refresh_from_db()
    assert invitation.accepted_by == User.objects.get(username="bob")
    assert invitation.accepted_at
    assert Client().get(f"/accounts/invitations/{token}/").status_code == 404


def test_only_the_digest_of_the_token_is_kept(boss):
    invitation, token = Invitation.objects.issue(boss)
    assert len(token) >= 43
    assert invitation.token_digest == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(Invitation.objects.values_list())


def test_the_link_is_a_whole_address(settings, boss):
    settings.SITE_URL = "https://chat.example.com"
    assert Invitation.link("abc") == "https://chat.example.com/accounts/invitations/abc/"


def test_a_named_address_is_prefilled_and_cannot_be_changed(boss):
    _, token = Invitation.objects.issue(boss, "bob@example.com")
    browser = follow(token)
    assert 'value="bob@example.com"' in browser.get("/accounts/signup/").content.decode()
    sign_up(browser, email="mallory@example.com", query="?email=mallory@example.com")
    assert User.objects.get(username="bob").email == "bob@example.com"


def test_following_the_link_spends_nothing(boss):
    _, token = Invitation.objects.issue(boss)
    follow(token)
    follow(token)
    assert Invitation.objects.find(token)


def test_a_mistake_in_the_form_does_not_spend_it_either(boss):
    _, token = Invitation.objects.issue(boss)
    browser = follow(token)
    assert sign_up(browser, username="boss").status_code == 200
    assert sign_up(browser, username="bob").status_code == 302


def test_wrong_used_expired_and_revoked_get_one_answer(boss):
    tokens = {name: Invitation.objects.issue(boss) for name in ("used", "expired", "revoked")}
    tokens["used"][0].accept(boss)
    tokens["revoked"][0].revoke()
    Invitation.objects.filter(pk=tokens["expired"][0].pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    words = ["wrong", "x" * 5000, "%00", "\N{PARROT}", *(token for _, token in tokens.values())]
    answers = [Client().get(f"/accounts/invitations/{word}/") for word in words]
    assert {answer.status_code for answer in answers} == {404}
    assert len({bare(answer) for answer in answers}) == 1
    assert "not valid" in answers[0].content.decode()


def test_it_is_open_for_two_weeks(boss):
    invitation, _ = Invitation.objects.issue(boss)
    lasts = invitation.expires_at - timezone.now()
    assert timedelta(days=13, hours=23) < lasts <= timedelta(days=14)
    assert invitation in Invitation.objects.open()


def test_revoked_while_somebody_fills_in_the_form(boss):
    invitation, token = Invitation.objects.issue(boss)
    browser = follow(token)
    assert invitation.revoke()
    assert "invitation" in sign_up(browser).content.decode()
    assert not User.objects.filter(username="bob").exists()
    assert not invitation.revoke()


@pytest.mark.django_db(transaction=True)
def test_of_people_who_race_with_one_link_exactly_one_gets_in():
    boss = User.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    _, token = Invitation.objects.issue(boss)
    browsers = [follow(token) for _ in range(4)]

    def race(number: int) -> int:
        try:
            return sign_up(browsers[number], f"racer{number}", f"racer{number}@example.com").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(race, range(4)))
    assert statuses.count(302) == 1
    assert User.objects.filter(username__startswith="racer").count() == 1


def test_losing_the_race_at_the_last_moment_leaves_no_account_behind(boss, rf):
    """What the sign-up does when the invitation goes between its check and its use."""

    class Form:
        cleaned_data = {"username": "late", "email": "late@example.com", "password1": PASSWORD}

    invitation, _ = Invitation.objects.issue(boss)
    request = rf.post("/accounts/signup/")
    request.session = {"invitation": str(invitation.pk)}
    request.htmx = False
    invitation.accept(boss)
    with pytest.raises(ImmediateHttpResponse) as lost:
        AccountAdapter().save_user(request, User(), Form())
    assert lost.value.response.status_code == 404
    assert not User.objects.filter(username="late").exists()


def test_a_second_acceptance_is_refused(boss, person):
    invitation, _ = Invitation.objects.issue(boss)
    assert invitation.accept(person)
    assert not Invitation.objects.get(pk=invitation.pk).accept(boss)
    assert Invitation.objects.get(pk=invitation.pk).accepted_by == person


def test_an_address_longer_than_our_column_is_an_error_beside_the_field(boss):
    _, token = Invitation.objects.issue(boss)
    answer = sign_up(follow(token), email=f"{'b' * 60}@{'example.' * 30}com")
    assert answer.status_code == 200
    assert not User.objects.filter(username="bob").exists()
