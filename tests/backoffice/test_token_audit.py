"""What an admin does with API tokens is written down; what is secret about them is not."""

from typing import Any

import pytest
from django.test import Client

from tests.conftest import SECRET, signed_in
from webchat.accounts.models import AuditEvent, User
from webchat.allocation.models import Allocation, APIToken

LIST = "/admin/allocation/apitoken/"
CANARY = "sk-typed-by-an-admin-7"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def save(client: Client, path: str, base_url: str, **fields: str) -> None:
    sent = {"label": "Team", "base_url": base_url, "is_active": "on", "secret": "", **fields}
    assert client.post(LIST + path, {k: v for k, v in sent.items() if v != "off"}).status_code == 302


def noted() -> list[tuple[str, dict[str, Any]]]:
    about_tokens = AuditEvent.objects.filter(target_type="allocation.apitoken")
    return list(about_tokens.order_by("pk").values_list("action", "details"))


def test_a_new_one(as_admin: Client, admin: User) -> None:
    save(as_admin, "add/", "https://api.example.com", secret=CANARY, vendor="Seller")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target_label) == ("token_added", admin, "Team (…in-7)")
    assert event.details["vendor"] == [None, "Seller"] or event.details["vendor"] == ["", "Seller"]
    assert event.details["secret"] == "•••"


def test_a_change_of_one(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url, label="Renamed", price_paid="9.50")
    assert noted() == [("token_changed", {"label": ["Team", "Renamed"], "price_paid": [None, "9.50"]})]


def test_another_secret(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url, secret=CANARY)
    assert noted() == [("token_replaced", {"secret": "•••"})]


def test_taken_out_of_use_and_back(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url, is_active="off")
    save(as_admin, f"{token.pk}/change/", token.base_url)
    assert noted() == [
        ("token_disabled", {"is_active": [True, False]}),
        ("token_changed", {"is_active": [False, True]}),
    ]


def test_several_at_once(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url, is_active="off", secret=CANARY, note="Leaked")
    assert [action for action, _details in noted()] == ["token_replaced", "token_disabled", "token_changed"]


def test_saved_without_a_change_nothing_is_noted(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url)
    assert noted() == []


def test_handed_over(as_admin: Client, token: APIToken) -> None:
    other = APIToken.objects.all().add("sk-another-one-5521", label="Spare", base_url=token.base_url)
    as_admin.post(f"{LIST}{token.pk}/hand_over/", {"other": str(other.pk)})
    as_admin.post(f"{LIST}{token.pk}/hand_over/", {"other": "nonsense"})
    assert noted() == [("token_handed_over", {"to": "Spare (…5521)", "allocations": 1})]


@pytest.mark.parametrize("way", ["its page", "the list"])
def test_deleted(as_admin: Client, token: APIToken, way: str) -> None:
    Allocation.objects.get().choose_tokens([])
    if way == "its page":
        as_admin.post(f"{LIST}{token.pk}/delete/", {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [str(token.pk)], "post": "yes"}
        as_admin.post(LIST, data)
    assert not APIToken.objects.exists()
    assert AuditEvent.objects.latest("pk").target_label == str(token) and noted() == [("token_deleted", {})]


@pytest.mark.django_db(transaction=True)
def test_tested(admin: User, token: APIToken) -> None:
    browser = signed_in(Client(), admin)
    browser.post(f"{LIST}{token.pk}/test/")
    APIToken.objects.update(base_url="http://127.0.0.1:1")
    browser.post(f"{LIST}{token.pk}/test/")
    assert noted() == [("token_tested", {"works": True}), ("token_tested", {"works": False})]


def test_no_secret_is_on_any_page_of_the_trail(as_admin: Client, token: APIToken) -> None:
    save(as_admin, f"{token.pk}/change/", token.base_url, secret=CANARY, note=f"was {SECRET}")
    pages = ["/admin/accounts/auditevent/", "/admin/accounts/auditevent/export/"]
    pages += [f"/admin/accounts/auditevent/{event.pk}/change/" for event in AuditEvent.objects.all()]
    sealed = APIToken.objects.get().sealed
    for page in pages:
        html = as_admin.get(page).content.decode()
        assert "Team" in html or "Everyone" in html
        assert not [secret for secret in (SECRET, CANARY, sealed) if secret in html], page
