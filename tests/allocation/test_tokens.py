"""What can be put into the vault, and where it may be used: clear sentences before anything is stored."""

import pytest
from django.core.exceptions import ValidationError

from tests.conftest import SECRET
from webchat.allocation.models import APIToken
from webchat.upstream.errors import describe

URL = "https://api.example.com"


def add(secret: str, base_url: str = URL) -> APIToken:
    return APIToken.objects.all().add(secret, label="Bought", base_url=base_url)


@pytest.mark.parametrize(
    "secret",
    ["", "short", "sk-with blank-123", "sk-with\nbreak-123", "sk-with\r\nheader: 1", "sk-with\ttab-123",
     "sk-with-é-12345", "sk-中文-1234567", "sk-zero\0byte-12", "sk-\u2028separator-1", "x" * 513],
)  # fmt: skip
def test_what_no_header_can_carry_is_refused(db: None, secret: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        add(secret)
    assert "one line of 8 to 512 visible ASCII characters" in str(refusal.value)
    assert not secret or secret not in str(refusal.value)
    assert not APIToken.objects.exists()


@pytest.mark.parametrize("pasted", [f"{SECRET}\n", f"  {SECRET}", f"{SECRET}\r\n", f"\t{SECRET} "])
def test_blanks_around_it_come_from_pasting(db: None, pasted: str) -> None:
    token = add(pasted)
    assert token.last_four == SECRET[-4:] and token.client()


def test_the_same_token_comes_in_once(db: None) -> None:
    add(SECRET)
    with pytest.raises(ValidationError, match="This token is in the vault already."):
        add(f"{SECRET}\n")


@pytest.mark.parametrize("spelling", ["", "/", "/v1", "/v1/", "//", "/v1//"])
def test_an_address_may_be_spelled_in_any_way(db: None, spelling: str) -> None:
    token = add(SECRET, URL + spelling)
    assert token.client()._base_url == URL


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com", "ftp://api.example.com", "https://", "https://user:pw@api.example.com", "https://a b",
     "https://api.example.com?x=1", "https://api.example.com/#v1", "javascript:alert(1)", "file:///etc/passwd",
     "https://api.example.com:99999", "https://api.example.com/../x", "https://api.example.com\nHost: evil"],
)  # fmt: skip
def test_what_is_no_address_is_refused(db: None, url: str) -> None:
    with pytest.raises(ValidationError):
        add(SECRET, url)
    assert not APIToken.objects.exists()


def test_a_new_secret_clears_what_the_old_one_had_done(token: APIToken) -> None:
    token.note_refusal("token_refused")
    token.refresh_from_db()
    assert token.last_error_sentence == describe("token_refused", {}) and token.last_error_at
    token.replace_secret("sk-another-one-456")
    token.save()
    token.refresh_from_db()
    assert (token.last_error_sentence, token.last_error_at, token.last_four) == ("", None, "-456")
