import http.client
import threading
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.accounts.browsing import is_signed_in
from tests.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from webchat.accounts.models import Invitation, User

START = "/accounts/oidc/sso/login/"


@pytest.fixture
def provider(settings, db):
    provider = IdentityProvider()
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    configure(settings, provider.url)
    yield provider
    provider.shutdown()
    provider.server_close()


def configure(settings, url: str) -> None:
    app = {"provider_id": "sso", "name": "Team login", "client_id": CLIENT_ID, "secret": CLIENT_SECRET}
    app["settings"] = {"server_url": url, "token_auth_method": "client_secret_basic"}
    settings.OIDC_SERVER_URL = url
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}


def policy(answer) -> list[str]:
    return answer["Content-Security-Policy"].split("; ")


def visit(browser: Client, query: str = ""):
    """From our button to the provider and back, as a browser goes."""
    location = browser.post(START + query)["Location"]
    at = urlsplit(location)
    connection = http.client.HTTPConnection(at.netloc)
    connection.request("GET", f"{at.path}?{at.query}")
    back = urlsplit(connection.getresponse().getheader("Location"))
    connection.close()
    assert back.path == "/accounts/oidc/sso/login/callback/"
    return browser.get(f"{back.path}?{back.query}")


def invited(email: str = "") -> Client:
    browser = Client()
    boss = User.objects.create_superuser("boss", "boss@example.com", "x")
    browser.get(f"/accounts/invitations/{Invitation.objects.issue(boss, email)[1]}/")
    return browser


def test_the_sign_in_page_offers_it_only_where_it_is_set_up(client, db):
    assert "Team login" not in client.get("/accounts/login/").content.decode()
    assert client.get(START).status_code == 404


def test_one_press_of_a_button_by_post_leads_there(client, provider):
    page = client.get("/accounts/login/").content.decode()
    assert "Team login" in page
    assert f'href="{START}' in page
    confirmation = client.get(START)
    assert confirmation.status_code == 200
    assert "form-action 'self' http: https:" in policy(confirmation)
    assert "form-action 'self'" in policy(client.get("/accounts/login/"))


def test_with_an_invitation_a_new_person_comes_in(provider):
    browser = invited()
    assert visit(browser)["Location"] == "/conversations/"
    assert is_signed_in(browser)
    carol = User.objects.get(username="carol")
    assert carol.email == "carol@example.com"
    assert not carol.has_usable_password()
    assert Invitation.objects.get().accepted_by == carol


def test_the_second_time_no_invitation_is_needed(provider):
    visit(invited())
    browser = Client()
    visit(browser)
    assert is_signed_in(browser)
    assert User.objects.filter(email="carol@example.com").count() == 1


def test_without_an_invitation_a_stranger_stays_outside(client, provider):
    assert "invitation" in visit(client).content.decode()
    assert not User.objects.exists()


def test_an_invitation_for_another_address_does_not_help(provider):
    assert "invitation" in visit(invited("dave@example.com")).content.decode()
    assert not User.objects.filter(username="carol").exists()


def test_where_sign_up_is_open_everybody_the_provider_knows_comes_in(client, provider, settings):
    settings.OIDC_SIGNUP_OPEN = True
    visit(client)
    assert is_signed_in(client)


def test_an_address_that_is_taken_is_not_taken_over(client, provider, settings, person):
    settings.OIDC_SIGNUP_OPEN = True
    provider.claims |= {"email": "alice@example.com", "email_verified": True}
    assert "connect single sign-on" in visit(client).content.decode()
    assert not is_signed_in(client)
    assert User.objects.get() == person


def test_whoever_has_signed_in_may_connect_it_and_use_it_from_then_on(provider, sign_in, person):
    browser = sign_in()
    assert visit(browser, "?process=connect")["Location"] == "/accounts/3rdparty/"
    other = Client()
    visit(other)
    assert "alice" in other.get("/accounts/").content.decode()


def test_a_deactivated_person_is_not_let_in_and_not_told_why(client, provider):
    visit(invited())
    User.objects.get(username="carol").deactivate()
    assert visit(client)["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_a_forged_way_back_is_refused(client, provider):
    client.post(START)
    provider.codes.add("stolen")
    answer = client.get("/accounts/oidc/sso/login/callback/?code=stolen&state=guessed")
    assert answer.status_code < 500
    assert not is_signed_in(client)


def test_a_provider_that_cannot_be_reached_is_one_sentence_not_an_error(client, settings, db):
    configure(settings, "http://127.0.0.1:9")
    answer = client.post(START)
    assert answer["Location"] == "/accounts/login/"
    assert "cannot be reached" in client.get("/accounts/login/").content.decode()
