"""An admin tests a token with one click, sees who depends on it, and moves everyone to another in one step."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.conftest import SECRET, signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, Need, UsageRecord
from webchat.upstream.errors import describe
from webchat.upstream.wire import Usage

LIST = "/admin/allocation/apitoken/"
TODAY = timezone.localdate


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def other(token: APIToken) -> APIToken:
    return APIToken.objects.all().add("sk-another-one-5521", label="Spare", base_url=token.base_url)


def page_after(client: Client, path: str, **fields: object) -> str:
    response = client.post(LIST + path, fields, follow=True)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def text_of(client: Client, token: APIToken) -> str:
    """What the section about it says, in one line."""
    page = client.get(f"{LIST}{token.pk}/change/").content.decode()
    section = html.unescape(re.sub(r"<[^>]*>", " ", page.partition('id="reach">')[2]))
    return " ".join(section.split())


def save(client: Client, token: APIToken, **fields: str) -> HttpResponse:
    sent = {"label": "Team", "base_url": token.base_url, "is_active": "on", "secret": "", **fields}
    return client.post(f"{LIST}{token.pk}/change/", sent)


@pytest.mark.django_db(transaction=True)
def test_one_click_tells_what_the_upstream_says(admin: User, token: APIToken) -> None:
    page = page_after(signed_in(Client(), admin), f"{token.pk}/test/")
    assert "It lists " in page and " answers" in page
    record = UsageRecord.objects.get()
    assert (record.source, record.outcome, record.user) == ("probe", "complete", admin)
    assert record.total_tokens > 0 and SECRET not in page


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_is_said_in_words(admin: User, token: APIToken) -> None:
    APIToken.objects.update(base_url="http://127.0.0.1:1")
    page = page_after(signed_in(Client(), admin), f"{token.pk}/test/")
    assert "The AI service can't be reached." in page
    assert not UsageRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_that_the_vault_cannot_open_is_said_to_be_so(admin: User, token: APIToken) -> None:
    APIToken.objects.update(sealed="nothing that was ever sealed")
    assert "VAULT_KEYS does not open this token" in page_after(
        signed_in(Client(), admin), f"{token.pk}/test/"
    )


def test_its_page_says_who_uses_it(as_admin: Client, alice: User, bob: User, token: APIToken) -> None:
    group = Group.objects.create(name="Research")
    Allocation.objects.grant(user=alice, tokens=[token])
    Allocation.objects.grant(group=group, tokens=[token], valid_until=timezone.now() - timedelta(days=1))
    Allocation.objects.grant(user=bob)
    page = text_of(as_admin, token)
    assert "Allocations Everyone , alice , Research (not in force)" in page
    assert "Allocations that use any token bob Arriving" in page
    APIToken.objects.update(is_active=False)
    assert "Allocations that use any token none" in text_of(as_admin, token)


def test_and_what_it_has_brought(as_admin: Client, alice: User, token: APIToken) -> None:
    ModelInfo.objects.filter(name="gpt-4").update(prompt_price=1000)
    APIToken.objects.update(price_paid=10)
    assert "10.00 USD, of which 0 % is spent" in text_of(as_admin, token)
    for prompt_tokens in (1200, 34, 0):
        record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(9, 9))
        if prompt_tokens == 1200:
            UsageRecord.objects.filter(pk=record.pk).update(created_at=timezone.now() - timedelta(days=40))
            record.refresh_from_db()
        if prompt_tokens:
            metering.settle(record, Spent("complete", Usage(prompt_tokens, 0, prompt_tokens)))
    page = text_of(as_admin, token)
    assert "Calls: 1, tokens: 34, cost: 0.034 USD" in page
    assert "Calls: 2, tokens: 1,234, cost: 1.23 USD" in page
    assert (
        "Arriving now 1" in page
        and "10.00 USD, of which 12 % is spent" in page
        and "Last used never" not in page
    )


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "in use"),
        ({"is_active": False}, "out of use"),
        ({"expires_on": "2020-01-01"}, "expired"),
        ({"last_error": "no_credit", "retry_at": timezone.now()}, "refused by the AI service"),
        ({"last_error": "rate_limited", "retry_at": timezone.now()}, "in use"),
        ({"last_error": "no_credit", "is_active": False}, "out of use"),
    ],
)
def test_how_it_is_stands_in_the_list_and_on_its_page(
    as_admin: Client, token: APIToken, change: dict[str, object], state: str
) -> None:
    APIToken.objects.update(**change)
    page = text_of(as_admin, token)
    assert f"State {state} Allocations" in page
    is_tried = state == "refused by the AI service"
    listed = describe("no_credit", {}) if is_tried else state
    assert f'<td class="field-state">{listed}</td>' in as_admin.get(LIST).content.decode()
    assert ("It is tried again by itself" in page) == is_tried


def test_one_that_is_used_is_not_deleted_and_it_is_said_why(
    as_admin: Client, alice: User, token: APIToken, other: APIToken
) -> None:
    def after_deleting(doomed: APIToken) -> str:
        return page_after(as_admin, f"{doomed.pk}/delete/", post="yes")

    assert (
        "This token can't be deleted: 1 allocation names it. Take it out of use instead."
        in after_deleting(token)
    )
    metering.reserve(alice, source="chat", model="gpt-4", need=Need(9, 9))
    token.hand_over(other)
    said = "This token can't be deleted: calls were made with it, which stay on record."
    assert said in after_deleting(token) and "1 allocation names it" in after_deleting(other)
    as_admin.post(LIST, {"action": "delete_selected", "_selected_action": [str(token.pk)], "post": "yes"})
    assert APIToken.objects.count() == 2
    unused = APIToken.objects.all().add("sk-bought-in-vain", label="Vain", base_url=token.base_url)
    assert "was deleted successfully" in after_deleting(unused) and APIToken.objects.count() == 2


def test_of_two_who_edit_at_once_the_second_is_told(as_admin: Client, token: APIToken) -> None:
    seen = {"initial-is_active": "True", "initial-label": "Team", "initial-base_url": token.base_url}
    APIToken.objects.update(is_active=False)
    response = save(as_admin, token, label="Renamed", **seen)
    assert "Somebody else has changed this meanwhile: In use." in response.content.decode()
    token.refresh_from_db()
    assert (token.label, token.is_active) == ("Team", False)
    assert save(as_admin, token, label="Renamed", **{**seen, "initial-is_active": "False"}).status_code == 302


def test_what_it_was_cannot_be_made_up_to_send_a_secret_elsewhere(as_admin: Client, token: APIToken) -> None:
    made_up = {"base_url": "https://evil.example", "initial-base_url": "https://evil.example"}
    assert save(as_admin, token, **made_up).status_code == 200
    token.refresh_from_db()
    assert "evil" not in token.base_url


def test_everyone_moves_to_another_in_one_step(
    as_admin: Client, alice: User, token: APIToken, other: APIToken
) -> None:
    Allocation.objects.grant(user=alice, tokens=[token])
    page = page_after(as_admin, f"{token.pk}/hand_over/", other=other.pk)
    assert "2 allocations use Spare (…5521) now." in page
    assert all(one.tokens == [other] for one in Allocation.objects.all())
    assert "Spare" in LogEntry.objects.latest("pk").change_message
    entries = LedgerEntry.objects.filter(kind="change").values_list("reason", "actor__username")
    assert set(entries) == {("Team (…c07d) → Spare (…5521)", "admin")} and len(entries) == 2
    assert set(Allocation.objects.values_list("version", flat=True)) == {1}


def test_who_had_both_keeps_the_other_once(alice: User, token: APIToken, other: APIToken) -> None:
    Allocation.objects.grant(user=alice, tokens=[token, other])
    assert token.hand_over(other) == 2
    assert [one.tokens for one in Allocation.objects.all()] == [[other], [other]]


@pytest.mark.parametrize("change", [{"is_active": False}, {"expires_on": "2020-01-01"}])
def test_but_not_to_one_that_cannot_be_used(
    as_admin: Client, token: APIToken, other: APIToken, change: dict[str, object]
) -> None:
    APIToken.objects.filter(pk=other.pk).update(**change)
    page = page_after(as_admin, f"{token.pk}/hand_over/", other=other.pk)
    assert "Choose a token that is in use and has not expired." in page
    assert Allocation.objects.get().tokens == [token]


def test_nor_to_itself_nor_to_nothing(as_admin: Client, token: APIToken) -> None:
    assert "Choose a token" in page_after(as_admin, f"{token.pk}/hand_over/", other=token.pk)
    assert "Choose the token" in page_after(as_admin, f"{token.pk}/hand_over/")


def test_only_admins_may(as_alice: Client, token: APIToken, other: APIToken) -> None:
    for verb in ("test", "hand_over"):
        response = as_alice.post(f"{LIST}{token.pk}/{verb}/", {"other": other.pk})
        assert response.status_code == 302 and "/login/" in response["Location"]
    assert Allocation.objects.get().tokens == [token] and not UsageRecord.objects.exists()


def test_what_was_bought_is_kept(as_admin: Client, token: APIToken) -> None:
    fields = {
        "vendor": "Seller",
        "price_paid": "99.50",
        "bought_on": "2026-11-01",
        "expires_on": "2027-11-01",
    }
    assert save(as_admin, token, **fields, note="Second order").status_code == 302
    token.refresh_from_db()
    assert (token.vendor, token.price_paid, token.note) == ("Seller", Decimal("99.50"), "Second order")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"price_paid": "-1"}, "greater than or equal to 0"),
        ({"price_paid": "NaN"}, "Enter a number."),
        ({"price_paid": "1e400"}, "Ensure that there are no more than"),
        ({"bought_on": "2026-11-02", "expires_on": "2026-11-01"}, "must not be before the day of buying"),
        ({"expires_on": "tomorrow"}, "Enter a valid date."),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    as_admin: Client, token: APIToken, fields: dict[str, str], sentence: str
) -> None:
    response = save(as_admin, token, **fields)
    assert response.status_code == 200 and sentence in html.unescape(response.content.decode())


def test_after_its_last_day_it_is_passed_over(alice: User, token: APIToken, other: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, tokens=[other])
    APIToken.objects.filter(pk=other.pk).update(expires_on=TODAY())
    assert Allocation.objects.open_to(alice) == [mine]
    APIToken.objects.filter(pk=other.pk).update(expires_on=TODAY() - timedelta(days=1))
    assert [one.tokens for one in Allocation.objects.open_to(alice)] == [[token]]
