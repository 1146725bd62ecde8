from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from tests.accounts.browsing import PASSWORD, post_login

AWAY = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    r"\\evil.example",
    r"/\evil.example",
    r"\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "https:evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://testserver/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "https://evil.example#testserver",
    "https://evil.example?testserver",
    "http://[::1]/",
    "http://localhost/",
    "http://127.0.0.1:8000/",
    "http://testserver:99999999/",
    "http://[testserver/",
    "\x00//evil.example",
    "\u2028//evil.example",
    "%2F%2Fevil.example//",
    "http://testserver\\@evil.example/",
    "https://evil。example/",
]


def goes_to(location: str) -> str:
    # What a browser makes of it: it drops tabs and line ends, and takes \ for /.
    cleaned = location.translate({9: "", 10: "", 13: ""}).replace("\\", "/")
    whole = urljoin("http://testserver/accounts/login/", cleaned)
    return f"{urlsplit(whole).scheme}://{urlsplit(whole).netloc}"


@pytest.mark.parametrize("where", AWAY)
def test_next_never_leaves_the_site(person, where):
    browser = Client()
    assert goes_to(post_login(browser, "alice", PASSWORD, next=where)["Location"]) == "http://testserver"
    assert goes_to(browser.get("/accounts/login/", {"next": where})["Location"]) == "http://testserver"
    assert goes_to(browser.post("/accounts/logout/", {"next": where})["Location"]) == "http://testserver"


def test_next_within_the_site_is_followed(person):
    for where in ("/accounts/", "/conversations/?q=1#x", "http://testserver/accounts/"):
        assert post_login(Client(), "alice", PASSWORD, next=where)["Location"] == where


def test_next_is_shown_escaped(client, db):
    page = client.get("/accounts/login/", {"next": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_on_https_next_does_not_fall_back_to_http(person):
    answer = Client().post(
        "/accounts/login/",
        {"login": "alice", "password": PASSWORD, "next": "http://testserver/accounts/"},
        secure=True,
        headers={"Referer": "https://testserver/"},
    )
    assert answer["Location"] == "/conversations/"
