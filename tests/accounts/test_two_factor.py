import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from tests.accounts.browsing import PASSWORD, confirm_password, is_signed_in, post_login


def code_for(secret: str) -> str:
    now = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, now[len(now) // 2]))


@pytest.fixture
def secret(person):
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    return "JBSWY3DPEHPK3PXP"


def test_an_authenticator_app_can_be_added(sign_in, person):
    browser = sign_in()
    assert browser.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    confirm_password(browser)
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    shown = re.search(r'value="([A-Z2-7]{32})"', page)[1]
    assert browser.post("/accounts/2fa/totp/activate/", {"code": code_for(shown)}).status_code == 302
    assert person.authenticator_set.filter(type="totp").exists()


def test_the_password_alone_is_not_enough_then(client, person, secret):
    assert post_login(client, "alice", PASSWORD)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert is_signed_in(client)


def test_a_recovery_code_opens_once(person, secret):
    code = RecoveryCodes.activate(person).get_unused_codes()[0]
    opened = []
    for _ in range(2):
        browser = Client()
        post_login(browser, "alice", PASSWORD)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        opened.append(is_signed_in(browser))
    assert opened == [True, False]


def test_guessing_codes_is_limited(client, person, secret):
    post_login(client, "alice", PASSWORD)
    pages = [client.post("/accounts/2fa/authenticate/", {"code": f"{n:06}"}) for n in range(7)]
    assert "Too many" in pages[-1].content.decode()
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert not is_signed_in(client)
