"""What an owner does on a person's page, how it is refused, and what is written down of it."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from tests.chat.history import tell
from tests.conftest import signed_in
from webchat.accounts.models import AuditEvent, Invitation, User

PEOPLE, INVITATIONS = "/admin/accounts/user/", "/admin/accounts/invitation/"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def event() -> Any:
    return AuditEvent.objects.get()


def test_the_page_has_the_role_and_no_flags(as_admin: Client, alice: User) -> None:
    html = as_admin.get(f"{PEOPLE}{alice.pk}/change/").content.decode()
    assert '<option value="member" selected>' in html and "Change the role" in html
    assert "is_superuser" not in html and "is_staff" not in html


def test_a_role_is_given_with_a_reason(as_admin: Client, admin: User, alice: User) -> None:
    response = as_admin.post(
        f"{PEOPLE}{alice.pk}/role/", {"role": "allocator", "reason": "Stands in for Bob"}
    )
    alice.refresh_from_db()
    assert alice.role == "allocator" and "allocator" in said(response)
    assert (event().actor, event().person, event().reason) == (admin, alice, "Stands in for Bob")
    assert event().address == "127.0.0.1"


@pytest.mark.parametrize("role", ["", "king", "OWNER", "owner\0", "owner,member"])
def test_what_is_no_role_is_refused_in_words(as_admin: Client, alice: User, role: str) -> None:
    assert "Choose one of the roles." in said(as_admin.post(f"{PEOPLE}{alice.pk}/role/", {"role": role}))
    alice.refresh_from_db()
    assert alice.role == "member"


def test_the_last_owner_is_kept_in_words(as_admin: Client, admin: User) -> None:
    page = f"{PEOPLE}{admin.pk}/"
    sentence = "This is the last owner of the portal. Make another person an owner first."
    assert sentence in said(as_admin.post(f"{page}role/", {"role": "member"}))
    assert sentence in said(as_admin.post(f"{page}deactivate/"))
    data = {"action": "deactivate", "_selected_action": [str(admin.pk)], "index": "0"}
    assert sentence in said(as_admin.post(PEOPLE, data))
    assert as_admin.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("owner", True) and not AuditEvent.objects.exists()


def test_deactivating_and_back(as_admin: Client, as_alice: Client, admin: User, alice: User) -> None:
    as_admin.post(f"{PEOPLE}{alice.pk}/deactivate/")
    assert as_alice.get("/accounts/").status_code == 302
    assert (event().action, event().actor, event().person) == ("person_deactivated", admin, alice)
    assert "Activate again" in as_admin.get(f"{PEOPLE}{alice.pk}/change/").content.decode()
    as_admin.post(f"{PEOPLE}{alice.pk}/activate/")
    alice.refresh_from_db()
    assert alice.is_active
    assert AuditEvent.objects.first().details == {"is_active": [False, True]}


def test_deactivating_several_at_once(as_admin: Client, alice: User, bob: User) -> None:
    data = {"action": "deactivate", "_selected_action": [str(alice.pk), str(bob.pk)], "index": "0"}
    as_admin.post(PEOPLE, data)
    assert not User.objects.filter(username__in=["alice", "bob"], is_active=True).exists()
    assert AuditEvent.objects.filter(action="person_deactivated").count() == 2


def test_a_change_is_noted_before_and_after(as_admin: Client, alice: User) -> None:
    data = {"username": "alice", "first_name": "Alice", "email": "new@example.org"}
    as_admin.post(f"{PEOPLE}{alice.pk}/change/", data)
    assert event().action == "person_changed"
    assert event().details == {"first_name": ["", "Alice"], "email": ["alice@example.org", "new@example.org"]}


def test_a_password_is_never_noted(as_admin: Client, alice: User) -> None:
    word = "a stable for the horse"
    data = {"password1": word, "password2": word, "usable_password": "true"}
    as_admin.post(f"{PEOPLE}{alice.pk}/password/", data)
    as_admin.post(f"{PEOPLE}add/", {"username": "new", **data})
    added, changed = AuditEvent.objects.all()
    assert (added.action, changed.action) == ("person_added", "person_changed")
    assert changed.details == {"password": "•••"} and added.target_label == "new"
    assert word not in f"{added.details} {changed.details}" and "md5" not in f"{added.details}"
    assert User.objects.get(username="new").role == "member"


def test_a_lost_phone_is_noted(as_admin: Client, alice: User) -> None:
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "JBSWY3DP"})
    data = {"action": "remove_second_factors", "_selected_action": [str(alice.pk)], "index": "0"}
    as_admin.post(PEOPLE, data)
    assert not Authenticator.objects.exists()
    assert (event().person, event().details) == (alice, {"second factors": [1, 0]})


def test_where_somebody_s_mail_goes_is_noted(as_admin: Client, alice: User) -> None:
    addresses = "/admin/account/emailaddress/"
    as_admin.post(f"{addresses}add/", {"user": str(alice.pk), "email": "x@example.org", "verified": "on"})
    address = EmailAddress.objects.get()
    as_admin.post(
        addresses, {"action": "delete_selected", "_selected_action": [str(address.pk)], "post": "yes"}
    )
    removed, added = AuditEvent.objects.all()
    assert added.person == removed.person == alice and not EmailAddress.objects.exists()
    assert added.details["email"][1] == "x@example.org"
    assert removed.details == {"email": ["x@example.org", None]}


def test_what_goes_with_a_person_is_counted_and_not_shown(as_admin: Client, alice: User) -> None:
    tell(alice, "Alice's secret question", "Alice's secret answer", title="Alice's secret title")
    html = as_admin.get(f"{PEOPLE}{alice.pk}/delete/").content.decode()
    assert "secret" not in html and "Messages: 2" in html and "Conversations: 1" in html


def test_who_is_deleted_is_named_for_ever(as_admin: Client, admin: User, alice: User) -> None:
    assert as_admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="alice").exists()
    assert (event().action, event().actor, event().person_name) == ("person_deleted", admin, "alice")


def test_invitations_are_noted_without_their_link(as_admin: Client, admin: User) -> None:
    data = {"email": "new@example.org", "expires_at_0": "2100-01-01", "expires_at_1": "12:00:00"}
    response = as_admin.post(f"{INVITATIONS}add/", data)
    invitation = Invitation.objects.get()
    assert invitation.expires_at.year == 2100
    token = said(response).rpartition("/invitations/")[2].partition("/")[0]
    assert Invitation.objects.find(token) == invitation
    as_admin.post(INVITATIONS, {"action": "revoke", "_selected_action": [str(invitation.pk)], "index": "0"})
    revoked, invited = AuditEvent.objects.all()
    assert (invited.action, invited.actor, invited.target_label) == (
        "person_invited",
        admin,
        "new@example.org",
    )
    assert revoked.action == "invitation_changed" and revoked.details["revoked_at"][0] is None
    for each in (invited, revoked):
        assert token not in str(vars(each)) and invitation.token_digest not in str(vars(each))


def test_an_invitation_is_not_deleted(as_admin: Client, admin: User) -> None:
    invitation, _token = Invitation.objects.issue(admin)
    assert as_admin.post(f"{INVITATIONS}{invitation.pk}/delete/", {"post": "yes"}).status_code == 403


def test_unknown_people_are_not_there(as_admin: Client) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for verb in ("role", "deactivate", "activate", "break-glass"):
        assert as_admin.post(f"{PEOPLE}{nobody}/{verb}/", {"role": "owner"}).status_code == 404
    assert as_admin.get(f"{PEOPLE}{nobody}/role/").status_code == 405
