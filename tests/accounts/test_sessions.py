from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from tests.accounts.browsing import is_signed_in


def test_the_page_lists_where_one_is_signed_in(sign_in):
    browser = sign_in(HTTP_USER_AGENT="Netscape/4")
    sign_in(HTTP_USER_AGENT="Lynx/2", REMOTE_ADDR="192.0.2.7")
    page = browser.get("/accounts/sessions/").content.decode()
    assert "Netscape/4" in page
    assert "Lynx/2" in page
    assert "192.0.2.7" in page


def test_the_other_sessions_can_be_ended_from_there(sign_in):
    here, elsewhere = sign_in(), sign_in()
    here.post("/accounts/sessions/")
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_deactivating_a_person_ends_all_sessions_at_once(sign_in, person):
    browsers = [sign_in(), sign_in()]
    person.deactivate()
    assert not any(is_signed_in(browser) for browser in browsers)
    assert not UserSession.objects.exists()
    assert not Session.objects.exists()


def test_a_deactivated_person_is_out_even_where_a_session_remained(sign_in, person):
    browser = sign_in()
    type(person).objects.filter(pk=person.pk).update(is_active=False)
    assert not is_signed_in(browser)


def test_ending_sessions_can_spare_one(sign_in, person):
    here, elsewhere = sign_in(), sign_in()
    person.end_sessions(except_key=here.session.session_key)
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_sessions_of_others_stay(sign_in, person, boss):
    browser = sign_in()
    boss.end_sessions()
    assert is_signed_in(browser)
