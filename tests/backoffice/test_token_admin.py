"""The admin writes tokens and never reads them: a secret is in no page, whatever was typed wrong."""

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape

from tests.conftest import SECRET, signed_in
from webchat.accounts.models import User
from webchat.allocation import vault
from webchat.allocation.models import Allocation, APIToken
from webchat.upstream.errors import describe

LIST = "/admin/allocation/apitoken/"
CANARY = "sk-typed-by-an-admin-7"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def save(client: Client, path: str, **fields: str) -> HttpResponse:
    sent = {"label": "Team", "base_url": "https://api.example.com", "is_active": "on", "secret": "", **fields}
    return client.post(LIST + path, sent)


def test_a_bought_token_goes_into_the_vault(as_admin: Client) -> None:
    response = save(as_admin, "add/", secret=f" {CANARY}\n")
    assert response.status_code == 302
    token = APIToken.objects.get()
    assert vault.unseal(token.sealed) == CANARY and token.last_four == CANARY[-4:]


def test_left_empty_the_secret_stays(as_admin: Client, token: APIToken) -> None:
    response = save(as_admin, f"{token.pk}/change/", label="Renamed", base_url=token.base_url)
    assert response.status_code == 302
    token.refresh_from_db()
    assert token.label == "Renamed" and vault.unseal(token.sealed) == SECRET


def test_another_secret_takes_its_place(as_admin: Client, token: APIToken) -> None:
    token.note_refusal("token_refused")
    save(as_admin, f"{token.pk}/change/", base_url=token.base_url, secret=CANARY)
    token.refresh_from_db()
    assert vault.unseal(token.sealed) == CANARY and token.last_error == ""


def test_another_address_wants_the_secret_again(as_admin: Client, token: APIToken) -> None:
    html = save(as_admin, f"{token.pk}/change/", base_url="https://evil.example").content.decode()
    assert "For another base URL the token has to be entered again." in html
    token.refresh_from_db()
    assert "evil" not in token.base_url
    response = save(as_admin, f"{token.pk}/change/", base_url="https://new.example", secret=SECRET)
    assert response.status_code == 302


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("", "Enter the token."),
        ("short", "one line of 8 to 512 visible ASCII characters"),
        ("sk-canary with blanks", "one line of 8 to 512 visible ASCII characters"),
        ("sk-canary-ünïcode", "one line of 8 to 512 visible ASCII characters"),
        (SECRET, "This token is in the vault already."),
    ],
)
def test_a_bad_one_is_refused_in_words_and_not_shown(
    as_admin: Client, token: APIToken, secret: str, sentence: str
) -> None:
    response = save(as_admin, "add/", secret=secret)
    html = response.content.decode()
    assert response.status_code == 200 and sentence in html
    assert not secret or secret not in html
    assert APIToken.objects.count() == 1


def test_a_bad_address_is_refused_in_words(as_admin: Client) -> None:
    html = save(as_admin, "add/", secret=CANARY, base_url="ftp://x").content.decode()
    assert "This is no address of an API." in html and CANARY not in html


def test_no_page_has_a_secret_in_it(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", base_url=token.base_url, secret=CANARY)
    allocation = Allocation.objects.get()
    pages = [
        "/admin/",
        LIST,
        f"{LIST}add/",
        *(f"{LIST}{token.pk}/{page}/" for page in ("change", "history", "delete")),
        "/admin/allocation/allocation/",
        f"/admin/allocation/allocation/{allocation.pk}/change/",
        "/admin/allocation/usagerecord/",
    ]
    sealed = APIToken.objects.get().sealed
    for page in pages:
        html = as_admin.get(page, follow=True).content.decode()
        assert not [secret for secret in (SECRET, CANARY, sealed) if secret in html], page
    logged = "".join(entry.change_message + entry.object_repr for entry in LogEntry.objects.all())
    assert logged and CANARY not in logged and SECRET not in logged


def test_the_list_says_what_was_wrong_with_a_token(as_admin: Client, token: APIToken) -> None:
    token.note_refusal("token_refused")
    html = as_admin.get(LIST).content.decode()
    assert f"…{SECRET[-4:]}" in html and escape(describe("token_refused", {})) in html


def test_only_admins_come_in(as_alice: Client, client: Client, token: APIToken) -> None:
    for browser in (as_alice, client):
        for path in ("", "add/", f"{token.pk}/change/"):
            assert browser.get(LIST + path).status_code in (302, 403)
            assert save(browser, path, secret=CANARY).status_code in (302, 403)
    assert APIToken.objects.count() == 1 and vault.unseal(APIToken.objects.get().sealed) == SECRET
