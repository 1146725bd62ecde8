"""What no browser sends is refused, not stumbled over."""

import pytest
from django.test import Client


@pytest.mark.parametrize("charset", ["rot13", "base64", "idna", "undefined", "utf-7", "nonsense"])
def test_charsets_other_than_utf_8(db: None, charset: str) -> None:
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    body = b'--b\r\nContent-Disposition: form-data; name="login"\r\n\r\n+2AA-\r\n--b--\r\n'
    assert Client().generic("POST", "/accounts/login/", body, content_type=kind).status_code == 400


def test_utf_8_may_be_said(db: None) -> None:
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    assert Client().post("/accounts/login/", "login=x&password=y", content_type=kind).status_code == 200


def test_a_passkey_with_a_number_of_thousands_of_digits(db: None) -> None:
    sent = {"credential": "1" * 5000}
    assert Client().post("/accounts/2fa/webauthn/login/", sent).status_code < 500


def test_a_provider_that_is_no_name(db: None) -> None:
    assert Client().get("/accounts/oidc/%00/login/").status_code == 404
