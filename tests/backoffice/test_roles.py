"""Each page and each verb of the admin, for each role; and what is forged changes nothing."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from tests.conftest import SECRET
from webchat.accounts.models import AuditEvent, BreakGlass, Invitation, User
from webchat.allocation import metering, vault
from webchat.allocation.models import Allocation, APIToken, ModelInfo, Need, UsageRecord
from webchat.demo.server import DemoServer

OWNER, ALLOCATOR, AUDITOR = "owner", "allocator", "auditor"
ROLES = ["owner", "allocator", "auditor", "member"]
READERS = {OWNER, ALLOCATOR, AUDITOR}


@dataclass(frozen=True)
class Row:
    """An address, and who comes in; the others are sent away. With `data` it is a POST."""

    path: str
    allowed: set[str]
    data: dict[str, str] | None = field(default=None, hash=False)

    def __str__(self) -> str:
        return f"{'get' if self.data is None else 'post'} {self.path or 'index'}"


PERSON, TOKEN = "accounts/user/{person}/", "allocation/apitoken/{token}/"
ALLOCATION, USAGE = "allocation/allocation/", "allocation/usagerecord/"
A_TOKEN = {
    "label": "X",
    "base_url": "https://api.example.com",
    "is_active": "on",
    "secret": "sk-another-one-9",
}
REASON = {"reason": "A complaint about what was written", "minutes": "15"}
ROWS = [
    Row("", READERS),
    Row("accounts/", READERS),
    Row("accounts/user/", READERS),
    Row(f"{PERSON}change/", READERS),
    Row(f"{PERSON}change/", {OWNER}, {"username": "renamed", "email": "a@example.org"}),
    Row(f"{PERSON}history/", READERS),
    Row("accounts/user/add/", {OWNER}),
    Row("accounts/user/add/", {OWNER}, {"username": "new", "usable_password": "false"}),
    Row(f"{PERSON}password/", {OWNER}),
    Row(
        f"{PERSON}password/",
        {OWNER},
        {"password1": "a stable for", "password2": "a stable for", "usable_password": "true"},
    ),
    Row(f"{PERSON}delete/", {OWNER}),
    Row(f"{PERSON}delete/", {OWNER}, {"post": "yes"}),
    Row(f"{PERSON}role/", {OWNER}, {"role": "auditor"}),
    Row(f"{PERSON}deactivate/", {OWNER}, {}),
    Row(f"{PERSON}activate/", {OWNER}, {}),
    Row(f"{PERSON}break-glass/", {OWNER}),
    Row(f"{PERSON}break-glass/", {OWNER}, REASON),
    Row("accounts/invitation/", {OWNER}),
    Row("accounts/invitation/add/", {OWNER}),
    Row("account/emailaddress/", {OWNER}),
    Row("accounts/auditevent/", {OWNER, AUDITOR}),
    Row("accounts/auditevent/{event}/change/", {OWNER, AUDITOR}),
    Row("accounts/auditevent/{event}/change/", set(), {"reason": "rewritten"}),
    Row("accounts/auditevent/{event}/delete/", set()),
    Row("accounts/auditevent/{event}/delete/", set(), {"post": "yes"}),
    Row("accounts/auditevent/add/", set()),
    Row("accounts/auditevent/export/", {OWNER, AUDITOR}),
    Row("allocation/apitoken/", READERS),
    Row(f"{TOKEN}change/", READERS),
    Row("allocation/apitoken/add/", {OWNER}),
    Row("allocation/apitoken/add/", {OWNER}, A_TOKEN),
    Row(f"{TOKEN}change/", {OWNER}, A_TOKEN),
    Row(f"{TOKEN}hand_over/", {OWNER}, {}),
    Row(f"{TOKEN}delete/", {OWNER}),
    Row("dashboard/", READERS),
    Row("dashboard/people.csv", READERS),
    Row("people/{person}/", READERS),
    Row("people/{person}/deactivation/", {OWNER}, {}),
    Row("people/{person}/ended-sessions/", {OWNER}, {}),
    Row("people/{person}/groups/", {OWNER, ALLOCATOR}, {}),
    Row("allocations/{allocation}/revocation/", {OWNER, ALLOCATOR}),
    Row("allocations/{allocation}/adjustments/", {OWNER, ALLOCATOR}, {"tokens": "5", "reason": "A mistake"}),
    Row("bulk/", {OWNER, ALLOCATOR}),
    Row("auth/group/", READERS),
    Row("auth/group/add/", {OWNER, ALLOCATOR}),
    Row("allocation/allocationrequest/", READERS),
    Row("allocation/ledgerentry/", READERS),
    Row("allocation/ledgerentry/export/", READERS),
    Row("allocation/modelinfo/", READERS),
    Row("allocation/modelinfo/{model}/change/", READERS),
    Row("allocation/modelinfo/{model}/change/", {OWNER}, {"label": "Renamed", "kind": "chat"}),
    Row("allocation/modelinfo/sync/", {OWNER}, {}),
    Row(ALLOCATION, READERS),
    Row(f"{ALLOCATION}{{allocation}}/change/", READERS),
    Row(f"{ALLOCATION}add/", {OWNER, ALLOCATOR}),
    Row(USAGE, READERS),
    Row(f"{USAGE}{{record}}/change/", READERS),
    Row(f"{USAGE}{{record}}/change/", set(), {"prompt_tokens": "0"}),
    Row(f"{USAGE}add/", set()),
]


@pytest.fixture
def ids(staff: dict[str, User], bob: User, token: APIToken) -> dict[str, Any]:
    return {
        "person": bob.pk,
        "token": token.pk,
        "allocation": Allocation.objects.get().pk,
        "model": ModelInfo.objects.get(name="gpt-4").pk,
        "record": metering.reserve(bob, source="chat", model="gpt-4", need=Need(4, 5)).pk,
        "event": AuditEvent.objects.note(None, "token_refused", token).pk,
    }


def everything() -> list[Any]:
    kept: list[Any] = [User, Invitation, BreakGlass, APIToken, Allocation, UsageRecord, AuditEvent]
    return [list(model.objects.order_by("pk").values()) for model in kept]


def test_every_list_of_the_admin_has_a_row() -> None:
    lists = {f"{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}
    assert lists <= {row.path for row in ROWS if row.data is None}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_comes_in(browsers: dict[str, Client], ids: dict[str, Any], row: Row) -> None:
    path = f"/admin/{row.path.format(**ids)}"
    for role in reversed(ROLES):
        before = everything()
        browser = browsers[role]
        response = browser.get(path) if row.data is None else browser.post(path, row.data)
        if role in row.allowed:
            assert response.status_code in (200, 302), (role, response.status_code)
            assert SECRET not in response.content.decode()
        else:
            # Members do not even come into the admin.
            assert response.status_code == (302 if role == "member" else 403), (role, response.status_code)
            assert "/admin/login/" in response.get("Location", "/admin/login/")
            assert everything() == before


@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize("action", ["deactivate", "remove_second_factors", "delete_selected"])
def test_nobody_else_has_the_actions_on_people(
    browsers: dict[str, Client], staff: dict[str, User], bob: User, role: str, action: str
) -> None:
    data = {"action": action, "_selected_action": [str(bob.pk)], "post": "yes", "index": "0"}
    browsers[role].post("/admin/accounts/user/", data)
    bob.refresh_from_db()
    assert bob.is_active and not AuditEvent.objects.exists()


FORGED = {"role": "owner", "is_superuser": "on", "is_staff": "on", "is_active": "on", "groups": "1"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("whom", ["member", "allocator", "auditor"])
def test_a_forged_form_makes_nobody_an_owner(
    browsers: dict[str, Client], staff: dict[str, User], role: str, whom: str
) -> None:
    person = staff[whom]
    data = {"username": person.username, "email": person.email, **FORGED}
    browsers[role].post(f"/admin/accounts/user/{person.pk}/change/", data)
    browsers[role].post(
        "/admin/accounts/user/add/", {"username": "new", "usable_password": "false", **FORGED}
    )
    browsers[role].post("/accounts/signup/", {"username": "new2", **FORGED})
    before = (person.role, person.is_staff, person.is_superuser)
    person.refresh_from_db()
    assert (person.role, person.is_staff, person.is_superuser) == before
    assert User.objects.filter(is_superuser=True).count() == User.objects.filter(role="owner").count() == 1
    assert not person.groups.exists()


@pytest.mark.parametrize("role", ROLES[1:])
def test_nobody_else_tests_a_token(
    browsers: dict[str, Client], ids: dict[str, Any], upstream: DemoServer, role: str
) -> None:
    response = browsers[role].post(f"/admin/{TOKEN.format(**ids)}test/")
    assert response.status_code == (302 if role == "member" else 403)
    assert not upstream.requests


@pytest.mark.parametrize("role", ROLES[1:])
def test_nobody_raises_themselves(browsers: dict[str, Client], staff: dict[str, User], role: str) -> None:
    person = staff[role]
    for wanted in ROLES:
        browsers[role].post(f"/admin/accounts/user/{person.pk}/role/", {"role": wanted})
    person.refresh_from_db()
    assert person.role == role and not AuditEvent.objects.exists()


def test_a_role_that_was_taken_away_ends_at_the_next_page(
    browsers: dict[str, Client], staff: dict[str, User]
) -> None:
    browser = browsers["auditor"]
    assert browser.get("/admin/accounts/auditevent/").status_code == 200
    staff["auditor"].set_role("member", by=staff["owner"])
    assert browser.get("/admin/accounts/auditevent/").status_code == 302


@pytest.mark.parametrize("role", [ALLOCATOR, AUDITOR])
def test_who_only_looks_is_offered_nothing_to_change(
    browsers: dict[str, Client], ids: dict[str, Any], role: str
) -> None:
    person = browsers[role].get(f"/admin/accounts/user/{ids['person']}/change/").content.decode()
    for word in (
        "Change the role",
        "Read conversations",
        "password",
        "md5",
        "Deactivate and sign out everywhere",
    ):
        assert word not in person.replace("/admin/password_change/", "").replace("Change password", ""), word
    token = browsers[role].get(f"/admin/allocation/apitoken/{ids['token']}/change/").content.decode()
    for word in ("Test this token", "Move everyone", 'name="secret"', "As bought"):
        assert word not in token, word


def test_an_allocator_grants(browsers: dict[str, Client], bob: User, token: APIToken) -> None:
    data = {"user": str(bob.pk), "period": "month", "position": "0", "token_limit": "100"}
    data |= {"chosen-TOTAL_FORMS": "1", "chosen-INITIAL_FORMS": "0"}
    data |= {"chosen-0-api_token": str(token.pk), "chosen-0-position": "0"}
    assert browsers[ALLOCATOR].post(f"/admin/{ALLOCATION}add/", data).status_code == 302
    assert Allocation.objects.get(user=bob).tokens == [token]
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor_name, event.person) == ("grant", "allocator", bob)
    assert event.details["token_limit"] == [None, 100]
    assert vault.unseal(APIToken.objects.get().sealed) == SECRET
