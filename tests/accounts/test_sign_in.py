import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from tests.accounts.browsing import PASSWORD, is_signed_in, post_login
from webchat.accounts.models import User


def test_signs_in_with_username_and_with_address_in_any_case(person):
    for login in ("alice", "ALICE", "alice@example.com", "Alice@Example.com", " alice "):
        browser = Client()
        assert post_login(browser, login, PASSWORD)["Location"] == "/conversations/"
        assert is_signed_in(browser)


def test_a_wrong_password_is_told_beside_the_form(client, person):
    answer = post_login(client, "alice", "wrong")
    assert answer.status_code == 200
    assert "do not belong together" in answer.content.decode()
    assert not is_signed_in(client)


def test_signs_out_by_post_only(sign_in):
    browser = sign_in()
    browser.get("/accounts/logout/")
    assert is_signed_in(browser)
    assert browser.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert not is_signed_in(browser)


def test_a_page_of_ones_own_leads_to_signing_in_and_back(client, person):
    answer = client.get("/accounts/")
    assert answer["Location"] == "/accounts/login/?next=/accounts/"
    assert post_login(client, "alice", PASSWORD, next="/accounts/")["Location"] == "/accounts/"


def test_a_username_that_is_somebodys_address_locks_nobody_out(client, person):
    User.objects.create_user("alice@example.com", "mallory@example.com", "another password")
    post_login(client, "alice@example.com", PASSWORD)
    assert "alice" in client.get("/accounts/").content.decode()


def test_two_usernames_that_differ_in_case_only_cannot_be(person):
    with pytest.raises(ValidationError, match="exists already"):
        User(username="ALICE", password="x").full_clean()


def test_the_admin_site_sends_strangers_through_the_same_door(client, db):
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/?next=")


def test_signing_in_survives_anything_posted(client, person):
    for login, password in [
        ("", ""),
        ("a" * 300_000, "x"),
        ("a\0b", "x"),
        ("a@b" * 500, "\0"),
        ("🦜", "🦜" * 200),
    ]:
        assert post_login(client, login, password).status_code == 200
