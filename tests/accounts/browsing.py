"""What a test does in a browser, and what it sees there."""

import re

from django.http import HttpResponse
from django.test import Client

PASSWORD = "correct horse battery"


def post_login(browser: Client, login: str, password: str, **extra: str) -> HttpResponse:
    return browser.post("/accounts/login/", {"login": login, "password": password, **extra})


def confirm_password(browser: Client) -> None:
    """What is asked again before anything about signing in may be changed."""
    assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def is_signed_in(browser: Client) -> bool:
    return browser.get("/accounts/").status_code == 200


def bare(answer: HttpResponse, *typed: str) -> str:
    """The page without what differs by itself: tokens, and what was typed."""
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"', "", answer.content.decode())
    for word in typed:
        page = page.replace(word, "")
    return page
