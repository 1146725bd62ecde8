"""An admin tests a token with one click, sees who depends on it, and moves everyone to another in one step."""

import html
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.conftest import SECRET, signed_in
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, UsageRecord

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


def test_its_page_says_who_uses_it(as_admin: Client, alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, tokens=[token])
    old = UsageRecord.objects.create(
        user=alice, api_token=token, source="chat", model="gpt-4", prompt_tokens=1200
    )
    UsageRecord.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=40), outcome="complete"
    )
    UsageRecord.objects.create(
        user=alice, api_token=token, source="chat", model="gpt-4", completion_tokens=34
    )
    page = as_admin.get(f"{LIST}{token.pk}/change/").content.decode()
    assert ">alice</a>" in page and ">Everyone</a>" in page
    assert "Calls: 1, tokens: 34" in page and "Calls: 2, tokens: 1,234" in page


def test_everyone_moves_to_another_in_one_step(
    as_admin: Client, alice: User, token: APIToken, other: APIToken
) -> None:
    Allocation.objects.grant(user=alice, tokens=[token])
    page = page_after(as_admin, f"{token.pk}/hand_over/", other=other.pk)
    assert "2 allocations use Spare (…5521) now." in page
    assert all(one.tokens == [other] for one in Allocation.objects.all())
    assert "Spare" in LogEntry.objects.latest("pk").change_message


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
