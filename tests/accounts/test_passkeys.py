import json
import re

import pytest
from django.test import Client

from tests.accounts.browsing import confirm_password, is_signed_in
from tests.accounts.soft_passkey import SoftPasskey

ADD, LOGIN = "/accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/login/"

GARBAGE = ["", "A", "AAAA", "é", 5, None, "oWNmbXRkbm9uZQ", "n" * 200]
BROKEN = [
    None,
    5,
    [],
    {},
    "x",
    {"response": []},
    {"id": "x", "response": {"userHandle": 5}},
    {"id": "é", "rawId": "é", "response": {}},
    {"id": "AAAA", "rawId": "AAAA", "response": {}},
]


@pytest.fixture
def passkey(sign_in):
    browser, passkey = sign_in(), SoftPasskey()
    confirm_password(browser)
    credential = passkey.register(creation_options(browser))
    form = {"name": "My key", "passwordless": "on", "credential": json.dumps(credential)}
    answer = browser.post(ADD, form)
    assert answer.status_code == 302, answer.content.decode()
    assert "My key" in browser.get("/accounts/2fa/webauthn/").content.decode()
    return passkey


def creation_options(browser: Client) -> dict:
    page = browser.get(ADD).content.decode()
    data = json.loads(re.search(r'<script id="js_data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    return data["creation_options"]["publicKey"]


def options(browser: Client) -> dict:
    return browser.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]["publicKey"]


def post(browser: Client, credential: object):
    return browser.post(LOGIN, {"credential": json.dumps(credential)})


def test_a_passkey_signs_in_without_a_password(client, passkey):
    assert post(client, passkey.sign(options(client)))["Location"] == "/conversations/"
    assert is_signed_in(client)


def test_an_answer_to_another_challenge_does_not(client, passkey):
    stale = passkey.sign(options(Client()))
    options(client)
    post(client, stale)
    assert not is_signed_in(client)


def test_another_key_that_claims_to_be_the_person_does_not(client, passkey):
    forged = SoftPasskey()
    forged.user_handle = passkey.user_handle
    post(client, forged.sign(options(client)))
    assert not is_signed_in(client)


def test_a_deactivated_persons_passkey_does_not_and_says_no_more_than_that(client, passkey, person):
    person.deactivate()
    answer = post(client, passkey.sign(options(client)))
    assert answer["Location"] == "/accounts/login/"
    page = client.get(answer["Location"]).content.decode()
    assert "Signing in did not work" in page
    assert "inactive" not in page
    assert not is_signed_in(client)


def test_a_broken_credential_is_refused_and_never_an_error_of_ours(client, passkey):
    for credential in BROKEN:
        options(client)
        assert post(client, credential).status_code < 500
    assert not is_signed_in(client)


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
def test_garbled_parts_are_refused_too(client, passkey, part):
    for garbage in GARBAGE:
        credential = passkey.sign(options(client))
        credential["response"][part] = garbage
        assert post(client, credential).status_code < 500
    assert not is_signed_in(client)


@pytest.mark.parametrize("part", ["clientDataJSON", "attestationObject"])
def test_a_garbled_registration_adds_nothing(sign_in, person, part):
    browser = sign_in()
    confirm_password(browser)
    for garbage in GARBAGE:
        credential = SoftPasskey().register(creation_options(browser))
        credential["response"][part] = garbage
        answer = browser.post(ADD, {"name": "My key", "credential": json.dumps(credential)})
        assert "Incorrect code" in answer.content.decode()
    assert not person.authenticator_set.exists()


def test_a_broken_registration_adds_nothing(sign_in, person):
    browser = sign_in()
    confirm_password(browser)
    for credential in BROKEN:
        creation_options(browser)
        assert browser.post(ADD, {"credential": json.dumps(credential)}).status_code == 200
    assert not person.authenticator_set.exists()
