"""What if? Before a limit or a price is saved, an admin sees whom it would have stopped and what it would have saved."""

import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.backoffice.reading import text_of, used
from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo

GRANTED = "/admin/what-if/allocation/"
PRICED = "/admin/what-if/prices/"
# As prices that cost nothing are sent
FREE = dict.fromkeys(
    ("prompt_price", "completion_price", "character_price", "minute_price", "image_price"), "0"
)


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def mine(alice: User, token: APIToken) -> Allocation:
    """With which 600 were spent, half of it with another model."""
    allocation = Allocation.objects.grant(user=alice, token_limit=1000)
    for days_ago, model in ((3, "gpt-4"), (2, "claude"), (1, "gpt-4")):
        used(alice, 200, days_ago=days_ago, model=model, cost="0.2", allocation=allocation)
    return allocation


@pytest.fixture
def priced(db: None) -> ModelInfo:
    return ModelInfo.objects.update_or_create(name="gpt-4", defaults={"kind": "chat"})[0]


def test_it_begins_with_what_is_granted(as_admin: Client, mine: Allocation) -> None:
    page = as_admin.get(f"{GRANTED}{mine.pk}/")
    assert 'value="1000"' in page.content.decode() and "would have been stopped" not in text_of(page)


def test_it_says_whom_a_limit_would_have_stopped(as_admin: Client, alice: User, mine: Allocation) -> None:
    page = text_of(as_admin.get(f"{GRANTED}{mine.pk}/", {"period": "once", "token_limit": "500"}))
    assert "Of 3 calls 1 would have been stopped. Saved: 200 tokens, 0.20 USD." in page
    assert "alice 3 1 0" in page and "no tokens left (1)" in page


def test_it_says_when_nobody_would_have_been_stopped(as_admin: Client, mine: Allocation) -> None:
    page = text_of(as_admin.get(f"{GRANTED}{mine.pk}/", {"period": "day", "token_limit": "200"}))
    assert "3 calls were replayed; none would have been stopped." in page


def test_models_and_the_length_of_answers_are_asked_for_too(
    as_admin: Client, mine: Allocation, priced: ModelInfo
) -> None:
    ModelInfo.objects.update(is_available=True)
    page = text_of(as_admin.get(f"{GRANTED}{mine.pk}/", {"period": "month", "allowed_models": ["gpt-4"]}))
    assert "Of 3 calls 1 would have been stopped." in page and "the model (1)" in page


def test_the_form_of_an_allocation_can_be_sent_as_it_is_and_nothing_is_written(
    as_admin: Client, alice: User, mine: Allocation
) -> None:
    form = as_admin.get(f"/admin/allocation/allocation/{mine.pk}/change/").content.decode()
    assert f'formaction="{GRANTED}{mine.pk}/"' in form
    fields = {
        "period": "once",
        "token_limit": "300",
        "reason": "Too much",
        "seen_version": "0",
        "position": "7",
    }
    page = text_of(as_admin.post(f"{GRANTED}{mine.pk}/", fields))
    assert "Of 3 calls 2 would have been stopped." in page
    mine.refresh_from_db()
    assert (mine.token_limit, mine.period, mine.version, mine.position) == (1000, "month", 0, 0)
    assert LedgerEntry.objects.filter(allocation=mine).count() == 1


def test_what_is_not_granted_yet_looks_at_all_calls_of_whom_it_is_for(
    as_admin: Client, alice: User, bob: User, mine: Allocation
) -> None:
    used(bob, 700)
    used(alice, 50)  # with what everyone may use
    assert f'formaction="{GRANTED}"' in as_admin.get("/admin/allocation/allocation/add/").content.decode()
    terms = {"period": "once", "token_limit": "100"}
    assert "Of 4 calls 3 would" in text_of(as_admin.post(GRANTED, {**terms, "user": alice.pk}))
    group = Group.objects.create(name="Research")
    group.user_set.add(bob)
    assert "Of 1 call 1 would" in text_of(as_admin.get(GRANTED, {**terms, "group": group.pk}))
    assert "Of 5 calls 4 would" in text_of(as_admin.get(GRANTED, terms))
    # Of somebody whom nobody knows: of everyone.
    assert "Of 5 calls" in text_of(as_admin.get(GRANTED, {**terms, "user": uuid.uuid4()}))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"token_limit": "0"}, "Leave it empty for no limit."),
        ({"token_limit": "-1"}, "greater than or equal to 0"),
        ({"token_limit": "9" * 40}, "less than or equal to"),
        ({"cost_limit": "NaN"}, "Enter a number."),
        ({"max_n": "6"}, "less than or equal to 5"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
        ({"period": "decade"}, "decade is not one of the available choices."),
        ({"allowed_models": "no-such-model"}, "no-such-model is not one of the available choices."),
    ],
)
def test_what_nobody_can_be_granted_is_refused_in_words(
    as_admin: Client, mine: Allocation, fields: dict[str, str], sentence: str
) -> None:
    page = text_of(as_admin.get(f"{GRANTED}{mine.pk}/", {"period": "month", **fields}))
    assert sentence in page and "would have been stopped" not in page


def test_everyones_can_be_asked_about(as_admin: Client, bob: User, token: APIToken) -> None:
    used(bob, 700)
    everyones = Allocation.objects.get()
    page = text_of(as_admin.get(f"{GRANTED}{everyones.pk}/", {"period": "once", "token_limit": "100"}))
    assert "Of 1 call 1 would have been stopped." in page


# Prices


def test_it_says_what_it_would_have_cost(
    as_admin: Client, alice: User, bob: User, token: APIToken, priced: ModelInfo
) -> None:
    used(alice, 1_000_000, cost="10")
    used(alice, 500_000, days_ago=2, cost="5")
    used(bob, 1_000_000, cost="10")
    used(bob, 1_000_000, model="claude", cost="7")
    used(bob, 1_000_000, days_ago=40, cost="10")
    page = text_of(as_admin.get(f"{PRICED}{priced.pk}/", {**FREE, "prompt_price": "4"}))
    assert "gpt-4 3 25.00 USD 10.00 USD -15.00 USD" in page
    assert "claude 1 7.00 USD 7.00 USD 0.00 USD" in page
    assert "alice 2 15.00 USD 6.00 USD -9.00 USD" in page
    assert "bob 1 10.00 USD 4.00 USD -6.00 USD" in page


def test_every_kind_of_price_counts(
    as_admin: Client, alice: User, token: APIToken, priced: ModelInfo
) -> None:
    used(alice, 0, completion_tokens=500_000, characters=2_000_000, seconds=90, images=3)
    prices = {"completion_price": "2", "character_price": "1.5", "minute_price": "0.4", "image_price": "0.05"}
    # 1 + 3 + 0.6 + 0.15
    page = text_of(
        as_admin.post(f"{PRICED}{priced.pk}/", {**FREE, **prices, "name": "another", "label": "x"})
    )
    assert "alice 1 0.00 USD 4.75 USD 4.75 USD" in page
    priced.refresh_from_db()
    assert (priced.name, priced.completion_price) == ("gpt-4", Decimal(0))


@pytest.mark.parametrize("price", ["-1", "NaN", "many", "1e30", ""])
def test_what_is_no_price_is_refused(as_admin: Client, priced: ModelInfo, price: str) -> None:
    page = as_admin.get(f"{PRICED}{priced.pk}/", {**FREE, "prompt_price": price})
    assert page.status_code == 200 and "errornote" in page.content.decode()


# Who may


def test_unknown_ones_are_not_found(as_admin: Client) -> None:
    assert as_admin.get(f"{GRANTED}{uuid.uuid4()}/").status_code == 404
    assert as_admin.get(f"{PRICED}{10**9}/").status_code == 404


def test_only_who_may_see_usage_may_ask(
    as_alice: Client, bob: User, mine: Allocation, priced: ModelInfo
) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    as_staff = signed_in(Client(), bob)
    for path in (GRANTED, f"{GRANTED}{mine.pk}/", f"{PRICED}{priced.pk}/"):
        assert "/login/" in as_alice.get(path)["Location"]
        assert as_staff.get(path).status_code == as_staff.post(path).status_code == 403
    assert as_role(User.objects.get(pk=bob.pk), "auditor").get(GRANTED).status_code == 200
