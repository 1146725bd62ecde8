"""A person's page: what they may spend and did spend, where they are signed in, and what an admin can do about it."""

import uuid
from decimal import Decimal

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.backoffice.reading import text_of, used
from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, LedgerEntry
from webchat.backoffice.device import device
from webchat.chat.models import Conversation

PASSWORD = "correct horse battery"
VERBS = ("deactivation", "activation", "ended-sessions", "groups")


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def as_viewer(bob: User) -> Client:
    """Somebody who may look, and do nothing."""
    return as_role(bob, "auditor")


def address(person: User, verb: str = "") -> str:
    return f"/admin/people/{person.pk}/" + (f"{verb}/" if verb else "")


def sign_in(person: User) -> Client:
    """As a browser does it, so that there is a session in the list."""
    client = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0")
    response = client.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert response.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/conversations/").status_code == 200


def test_it_shows_everything_about_somebody(as_admin: Client, alice: User, token: APIToken) -> None:
    group = Group.objects.create(name="Research")
    alice.groups.add(group)
    mine = Allocation.objects.grant(user=alice, token_limit=1000, cost_limit=Decimal(10), valid_until=None)
    mine.adjust(tokens=250, cost=Decimal("2.5"), actor=None, reason="For the test")
    Allocation.objects.grant(group=group, token_limit=50_000)
    used(alice, 1234, cost="0.5", model="claude-3", allocation=mine)
    used(alice, 9, days_ago=31, model="gpt-old", allocation=mine)
    sign_in(alice)
    page = as_admin.get(address(alice))
    text = text_of(page)
    assert "alice@example.org" in text and "Research" in text
    assert "750 of 1,000" in text and "7.50 USD of 10.00 USD" in text and "50,000 of 50,000" in text
    assert "claude-3 1 1,234 0.50 USD" in text
    assert "Firefox · Linux 127.0.0.1" in text
    html = page.content.decode()
    assert 'value="25">25 %</meter>' in html and " style=" not in html
    assert f"/admin/allocation/allocation/add/?user={alice.pk}" in html
    assert f"/admin/allocations/{mine.pk}/adjustments/" in html
    # Of the last thirty days; but the last calls are listed whenever they were.
    assert text.count("gpt-old") == 1


def test_the_list_of_people_leads_there(as_admin: Client, alice: User) -> None:
    assert f'<a href="{address(alice)}">' in as_admin.get("/admin/accounts/user/").content.decode()


def test_what_was_said_is_nowhere(as_admin: Client, alice: User, token: APIToken) -> None:
    Conversation.objects.create(owner=alice, title="My illness")
    used(alice)
    assert "My illness" not in as_admin.get(address(alice)).content.decode()


def test_what_they_had_stays_listed(as_admin: Client, alice: User, token: APIToken) -> None:
    gone = Allocation.objects.grant(user=alice, token_limit=1000)
    gone.revoke(actor=None, reason="Left the team")
    text = text_of(as_admin.get(address(alice)))
    assert "revoked" in text and f"/admin/allocations/{gone.pk}/revocation/" not in text


def test_many_calls_take_no_more_queries(
    as_admin: Client, alice: User, token: APIToken, django_assert_num_queries
) -> None:
    used(alice)
    with django_assert_num_queries(11):
        as_admin.get(address(alice))
    for number in range(30):
        used(alice, model=f"model{number}", days_ago=number % 10)
    with django_assert_num_queries(11):
        as_admin.get(address(alice))


# Verbs


def test_deactivated_people_are_out_at_once_and_can_come_back(as_admin: Client, alice: User) -> None:
    browser = sign_in(alice)
    assert is_in(browser)
    page = text_of(as_admin.post(address(alice, "deactivation"), follow=True))
    assert "They can no longer sign in." in page and "deactivated" in page
    assert not is_in(browser)
    assert "They can sign in again." in text_of(as_admin.post(address(alice, "activation"), follow=True))
    assert is_in(sign_in(alice))


def test_nobody_locks_themselves_out(as_admin: Client, admin: User) -> None:
    page = text_of(as_admin.post(address(admin, "deactivation"), follow=True))
    assert "You cannot deactivate yourself." in page
    admin.refresh_from_db()
    assert admin.is_active


def test_one_session_ends_and_the_others_stay(as_admin: Client, alice: User) -> None:
    lost, kept = sign_in(alice), sign_in(alice)
    session = UserSession.objects.get(session_key=lost.session.session_key)
    page = text_of(as_admin.post(address(alice, "ended-sessions"), {"session": session.pk}, follow=True))
    assert "Signed out: 1." in page
    assert not is_in(lost) and is_in(kept)
    again = as_admin.post(address(alice, "ended-sessions"), {"session": session.pk}, follow=True)
    assert "This session has ended already." in text_of(again)


def test_all_sessions_end(as_admin: Client, alice: User) -> None:
    browsers = [sign_in(alice), sign_in(alice)]
    assert "Signed out: 2." in text_of(as_admin.post(address(alice, "ended-sessions"), follow=True))
    assert not any(map(is_in, browsers))


@pytest.mark.parametrize("session", ["x", "-1", "²", "9" * 30])
def test_a_session_that_is_none_ends_nothing(as_admin: Client, alice: User, session: str) -> None:
    browser = sign_in(alice)
    as_admin.post(address(alice, "ended-sessions"), {"session": session}, follow=True)
    assert is_in(browser)


def test_a_session_of_somebody_else_does_not_end(as_admin: Client, alice: User, bob: User) -> None:
    browser = sign_in(bob)
    session = UserSession.objects.get(user=bob)
    as_admin.post(address(alice, "ended-sessions"), {"session": session.pk})
    assert is_in(browser)


def test_ending_all_of_ones_own_spares_the_one_in_use(admin: User) -> None:
    mine, other = sign_in(admin), sign_in(admin)
    mine.post(address(admin, "ended-sessions"))
    assert is_in(mine) and not is_in(other)


def test_groups_are_chosen_and_two_who_edit_at_once_keep_what_the_other_did(
    as_admin: Client, alice: User
) -> None:
    research, sales, support = (Group.objects.create(name=name) for name in ("Research", "Sales", "Support"))
    alice.groups.add(research)
    seen = {"seen": [research.pk]}
    as_admin.post(address(alice, "groups"), {**seen, "groups": [research.pk, sales.pk]})
    page = as_admin.post(address(alice, "groups"), {**seen, "groups": [support.pk]}, follow=True)
    assert "What is granted to their groups counts from the next question on." in text_of(page)
    assert set(alice.groups.all()) == {sales, support}
    gone = as_admin.post(address(alice, "groups"), {"groups": [10**6]}, follow=True)
    assert "One of these groups is no longer there." in text_of(gone)
    assert set(alice.groups.all()) == {sales, support}


# Who may


def test_unknown_people_are_not_found(as_admin: Client) -> None:
    nobody = uuid.uuid4()
    assert as_admin.get(f"/admin/people/{nobody}/").status_code == 404
    for verb in VERBS:
        assert as_admin.post(f"/admin/people/{nobody}/{verb}/").status_code == 404


def test_members_are_sent_to_sign_in(as_alice: Client, bob: User) -> None:
    for path in [address(bob), *(address(bob, verb) for verb in VERBS)]:
        response = as_alice.post(path)
        assert response.status_code == 302 and "/login/" in response["Location"]
    bob.refresh_from_db()
    assert bob.is_active


def test_who_may_look_changes_nothing(as_viewer: Client, alice: User, token: APIToken) -> None:
    browser = sign_in(alice)
    Group.objects.create(name="Research")
    page = as_viewer.get(address(alice))
    assert page.status_code == 200 and "/deactivation/" not in page.content.decode()
    for verb in VERBS:
        assert as_viewer.post(address(alice, verb)).status_code == 403
    assert is_in(browser)


def test_staff_without_permission_is_refused(alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    assert signed_in(Client(), bob).get(address(alice)).status_code == 403


def test_verbs_are_no_links(as_admin: Client, alice: User) -> None:
    for verb in VERBS:
        assert as_admin.get(address(alice, verb)).status_code == 405


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari · iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "–"),
    ],
)  # fmt: skip
def test_a_device_is_said_in_two_words(user_agent: str, words: str) -> None:
    assert device(user_agent) == words


def test_last_calls_say_when(as_admin: Client, alice: User, token: APIToken) -> None:
    record = used(alice, outcome="stopped", duration_ms=4321)
    row = text_of(as_admin.get(address(alice)))
    assert "chat gpt-4 stopped 100 0.00 USD 4,321" in row
    assert timezone.localtime(record.created_at).strftime("%Y") in row
    assert not LedgerEntry.objects.filter(record=record).exists()
