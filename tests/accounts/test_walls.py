"""Cookies, forgery, and a content security policy that nothing on our pages needs to break."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from tests.accounts.browsing import PASSWORD, confirm_password, post_login
from webchat.settings import __file__ as settings_file

STRANGERS_PAGES = [
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "invitations/x/",
    "inactive/",
]
OWN_PAGES = [
    "",
    "email/",
    "password/change/",
    "sessions/",
    "2fa/",
    "2fa/totp/activate/",
    "2fa/webauthn/",
    "2fa/webauthn/add/",
    "3rdparty/",
    "logout/",
    "reauthenticate/",
]


def assert_nothing_inline(answer) -> None:
    page = answer.content.decode()
    assert answer.status_code in (200, 404), answer
    for attributes, body in re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert not body.strip() or "application/json" in attributes, body
    assert not re.search(r"<[^>]*\s(style|on\w+)\s*=", page)
    assert "<style" not in page
    assert not re.search(r'(src|href|action)="(https?:)?//', page)
    assert "script-src 'self'" in answer["Content-Security-Policy"].split("; ")


@pytest.mark.parametrize("path", STRANGERS_PAGES)
def test_pages_for_strangers_keep_the_policy(client, db, path):
    assert_nothing_inline(client.get(f"/accounts/{path}"))


def test_ones_own_pages_keep_the_policy(sign_in):
    browser = sign_in()
    confirm_password(browser)
    for path in OWN_PAGES:
        assert_nothing_inline(browser.get(f"/accounts/{path}"))


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client, person):
    post_login(client, "alice", PASSWORD)
    client.get("/accounts/password/change/")
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_on_https_cookies_are_secure_and_bound_to_the_host():
    code = """
import json
from webchat import settings as s
print(json.dumps({name: getattr(s, name) for name in dir(s) if name.isupper() and "COOKIE" in name}))
"""
    environment = os.environ | {"SITE_URL": "https://chat.example.com"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    settings = json.loads(run.stdout)
    for name in ("SESSION", "CSRF"):
        assert settings[f"{name}_COOKIE_SECURE"] is True
        assert settings[f"{name}_COOKIE_HTTPONLY"] is True
        assert settings[f"{name}_COOKIE_SAMESITE"] == "Lax"
        assert settings[f"{name}_COOKIE_NAME"].startswith("__Host-")


def test_without_a_secret_key_nothing_starts(tmp_path):
    # A checkout with nothing in var/.
    (tmp_path / "webchat").mkdir()
    for module in Path(settings_file).parent.glob("*.py"):
        shutil.copy(module, tmp_path / "webchat")
    run = subprocess.run(
        [sys.executable, "-c", "import webchat.settings"],
        cwd=tmp_path,
        env=os.environ | {"SECRET_KEY": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "SECRET_KEY is not set" in run.stderr


def test_a_forged_session_cookie_is_nobody(db):
    browser = Client()
    browser.cookies["sessionid"] = "a" * 32
    assert browser.get("/accounts/").status_code == 302


def test_a_page_open_for_too_long_says_so_and_that_the_text_is_still_there(person):
    browser = Client(enforce_csrf_checks=True)
    answer = post_login(browser, "alice", PASSWORD)
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()
    assert "your text is still there" in answer.content.decode()


def test_for_htmx_it_is_a_notice_that_replaces_nothing(person):
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/accounts/login/", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert 'hx-swap-oob="beforeend:#toasts"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
