from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from tests.accounts.browsing import PASSWORD, is_signed_in
from webchat.accounts.models import EndedSession
from webchat.accounts.sessions import State, Ticket, judge


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


def test_who_changes_the_password_here_goes_on_here_alone(sign_in, person):
    here, elsewhere = sign_in(), sign_in()
    tickets = [Ticket.of(browser.session, person) for browser in (here, elsewhere)]
    new = {"password1": "a stable for the horse", "password2": "a stable for the horse"}
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    assert is_signed_in(here) and not is_signed_in(elsewhere)
    assert list(judge(tickets).values()) == [State.GOOD, State.ENDED]
    assert [session.session_key for session in UserSession.objects.all()] == [here.session.session_key]


def test_an_admin_who_changes_the_own_password_stays_too(sign_in, boss):
    browser = sign_in("boss")
    ticket = Ticket.of(browser.session, boss)
    new = {
        "password1": "a stable for the horse",
        "password2": "a stable for the horse",
        "usable_password": "true",
    }
    assert browser.post(f"/admin/accounts/user/{boss.pk}/password/", new).status_code == 302
    assert judge([ticket]) == {ticket: State.GOOD}
    assert is_signed_in(browser)
    assert UserSession.objects.get().session_key == browser.session.session_key


def test_another_password_is_believed_at_the_second_look(sign_in, person):
    ticket = Ticket.of(sign_in().session, person)
    person.set_password("a stable for the horse")
    person.save()
    assert [judge([ticket])[ticket] for _look in range(2)] == [State.GOOD, State.ENDED]


def test_a_session_ends_when_its_time_is_over(sign_in):
    browser = sign_in()
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_signed_in(browser)


def test_a_lost_session_is_not_one_that_was_ended(sign_in, person):
    lost, ended = sign_in(), sign_in()
    tickets = [Ticket.of(browser.session, person) for browser in (lost, ended)]
    Session.objects.filter(session_key=lost.session.session_key).delete()
    ended.post("/accounts/logout/")
    assert list(judge(tickets).values()) == [State.LOST, State.ENDED]


def test_word_of_ended_sessions_is_kept_for_a_day(sign_in):
    sign_in().post("/accounts/logout/")
    EndedSession.objects.update(ended_at=timezone.now() - timedelta(days=2))
    sign_in().post("/accounts/logout/")
    assert EndedSession.objects.count() == 1


def test_signing_in_leaves_no_word(sign_in):
    sign_in()
    assert not EndedSession.objects.exists()


def test_an_older_secret_key_still_fits(sign_in, person, settings):
    ticket = Ticket.of(sign_in().session, person)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-" + "x" * 50, [settings.SECRET_KEY]
    assert judge([ticket]) == {ticket: State.GOOD}
