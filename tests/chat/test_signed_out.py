"""A session that has ended while one was typing: told so, and nothing that was typed is lost."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.chat.history import tell
from webchat.accounts.models import User

SENTENCE = "You are signed out. Reload the page and sign in; your text is kept."


@pytest.mark.parametrize("path", ["/conversations/", "{conversation}messages/"])
def test_htmx_is_told_beside_what_was_typed(as_alice: Client, alice: User, path: str) -> None:
    url = path.format(conversation=tell(alice, "Question", "Answer").get_absolute_url())
    Session.objects.all().delete()
    response = as_alice.post(url, {"text": "My long thought"}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert response.status_code == 401 and SENTENCE in html
    # Out of band only: nothing takes the place of the composer with its text.
    assert html.strip().startswith('<div hx-swap-oob="beforeend:#toasts">') and "composer" not in html
    assert not {"Location", "HX-Redirect", "HX-Refresh", "HX-Retarget"} & set(response.headers)


def test_without_htmx_one_comes_back_after_signing_in(as_alice: Client, alice: User) -> None:
    url = tell(alice, "Question", "Answer").get_absolute_url()
    Session.objects.all().delete()
    response = as_alice.get(url)
    assert response["Location"] == f"/accounts/login/?next={url}"


def test_somebody_who_was_deactivated_is_out(as_alice: Client, alice: User) -> None:
    url = tell(alice, "Question", "Answer").get_absolute_url()
    assert as_alice.get("/sidebar/").status_code == 200
    alice.deactivate()
    assert as_alice.get(url).status_code == 302
    assert as_alice.post(f"{url}messages/", {"text": "x"}, headers={"HX-Request": "true"}).status_code == 401
