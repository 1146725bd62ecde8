"""An admin at the page for many: uploading a list, reading the preview, carrying it out."""

import html
import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from webchat.accounts.models import User

URL = "/admin/bulk/"
PLAN = re.compile(r'name="plan" value="([^"]+)"')
LINK = re.compile(r"http://testserver(/accounts/invitations/[\w-]+/)")
ROW = re.compile(r'<tr data-(?:verb|done)="(\w+)">(.*?)</tr>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")


def preview(desk: Client, text: str | bytes, **wishes: str) -> tuple[list[tuple[str, str]], str]:
    """For each line the verb and what is said of it; and the signed plan."""
    data = text if isinstance(text, bytes) else text.encode()
    answer = desk.post(URL, {"file": SimpleUploadedFile("list.csv", data), "existing": "add", **wishes})
    page = answer.content.decode()
    assert answer.status_code == 200, said(page)
    found = PLAN.search(page)
    assert found
    return rows(page), html.unescape(found[1])


def carry_out(desk: Client, plan: str) -> tuple[list[tuple[str, str]], list[str]]:
    """For each line whether it was done and what is said of it; and the links."""
    page = desk.post(URL, {"plan": plan}).content.decode()
    return rows(page), LINK.findall(page)


def refusal(desk: Client, text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    answer = desk.post(URL, {"file": SimpleUploadedFile("list.csv", data), "existing": "add"})
    assert answer.status_code == 422
    return said(answer.content.decode())


def rows(page: str) -> list[tuple[str, str]]:
    return [(verb, said(row)) for verb, row in ROW.findall(page)]


def said(page: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", page)).split())


def sign_up(path: str, username: str, email: str) -> User:
    browser = Client()
    assert browser.get(path).status_code == 302
    secret = "correct horse battery"
    form = {"username": username, "email": email, "password1": secret, "password2": secret}
    assert browser.post("/accounts/signup/", form).status_code == 302
    return User.objects.get(username=username)
