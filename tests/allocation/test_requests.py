"""Asking for more: one request at a time, every step kept; what is granted can be used at once and takes nothing away."""

import html
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.utils import timezone
from pytest_django import Settings

from tests.at_once import at_once
from tests.chat.asking import begin, last_answer, send, until_ended
from webchat.accounts.models import User
from webchat.allocation import metering, proof
from webchat.allocation.metering import Spent
from webchat.allocation.models import (
    Allocation,
    AllocationRequest,
    APIToken,
    ChangedMeanwhile,
    LedgerEntry,
    Need,
    RequestStep,
    UsageRecord,
)
from webchat.allocation.models.request import STEPS_A_DAY
from webchat.allocation.periods import Period
from webchat.allocation.refusals import NothingLeft
from webchat.background import in_database
from webchat.upstream.wire import Usage

ASK = "/usage/ask/"
REASON = "The translation of the handbook"
ask = AllocationRequest.objects.ask


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def spend(user: User, tokens: int) -> UsageRecord:
    """All of it, in one call that took as much as was reserved."""
    record = metering.reserve(user, source="chat", model="gpt-4", need=Need(1, tokens - 1))
    assert metering.settle(record, Spent("complete", Usage(1, tokens - 1, tokens)))
    return record


def kinds(request: AllocationRequest) -> list[str]:
    return [step.kind for step in request.steps.all()]


@pytest.fixture
def mine(alice: User, token: APIToken) -> Allocation:
    """Alice's own, of which nothing is left."""
    mine = Allocation.objects.grant(user=alice, token_limit=1000, max_n=2, tokens=[token])
    spend(alice, 1000)
    return mine


@pytest.fixture
def request_(alice: User, mine: Allocation) -> AllocationRequest:
    return ask(alice, tokens=5000, until=in_days(3), reason=REASON)


# Asking


def test_one_asks_for_one_thing_at_a_time_and_what_it_was_is_kept(alice: User) -> None:
    first = ask(alice, tokens=5000, reason=REASON)
    second = ask(alice, cost=Decimal(3), reason="Cheaper")
    assert second.pk == first.pk and AllocationRequest.objects.count() == 1
    assert (second.tokens, second.cost, second.reason) == (None, 3, "Cheaper")
    steps = [(step.kind, step.tokens, step.cost, step.text) for step in second.steps.all()]
    assert steps == [("asked", 5000, None, REASON), ("again", None, 3, "Cheaper")]


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_make_one_request(alice: User) -> None:
    outcomes = at_once(6, lambda number: ask(alice, tokens=number + 1, reason=REASON))
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    request = AllocationRequest.objects.get()
    assert request.version == 6 and kinds(request) == ["asked", *["again"] * 5]


def test_withdrawn_it_is_over_and_another_can_be_asked_for(alice: User) -> None:
    first = ask(alice, tokens=5000, reason=REASON)
    assert first.withdraw() and not first.withdraw()
    assert kinds(first) == ["asked", "withdrawn"]
    assert ask(alice, tokens=1, reason=REASON).pk != first.pk


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens": 0},
        {"tokens": -1},
        {"tokens": 10**12 + 1},
        {"tokens": None},
        {"cost": Decimal(0), "tokens": None},
        {"cost": Decimal("-0.01")},
        {"cost": Decimal("NaN")},
        {"cost": Decimal("Infinity")},
        {"cost": Decimal("1e400")},
        {"until": date(2020, 1, 1)},
        {"until": date(9999, 12, 31)},
        {"reason": " \n"},
        {"reason": "x" * 2001},
        {"reason": "a\0b"},
    ],
)
def test_what_makes_no_sense_is_not_asked(alice: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ask(alice, **{"tokens": 5000, "reason": REASON, **wrong})
    assert not AllocationRequest.objects.exists() and not RequestStep.objects.exists()


def test_nobody_asks_all_day_long(alice: User) -> None:
    for _ in range(STEPS_A_DAY):
        ask(alice, tokens=1, reason=REASON)
    with pytest.raises(ValidationError, match="Try again tomorrow"):
        ask(alice, tokens=1, reason=REASON)
    RequestStep.objects.update(at=timezone.now() - timedelta(days=1, minutes=1))
    ask(alice, tokens=1, reason=REASON)


# Granting


def test_granted_it_comes_on_top_on_the_same_terms(
    request_: AllocationRequest, mine: Allocation, admin: User, token: APIToken
) -> None:
    extra = request_.grant(admin, "Gladly", version=1)
    assert (extra.user, extra.token_limit, extra.cost_limit, extra.period) == (
        request_.user,
        5000,
        None,
        "once",
    )
    assert extra.is_extra and extra.max_n == 2 and extra.tokens == [token]
    assert extra.valid_until == timezone.make_aware(datetime.combine(in_days(4), datetime.min.time()))
    entry = extra.entries.get()
    assert (entry.kind, entry.actor, entry.reason) == (LedgerEntry.Kind.GRANT, admin, "Gladly")
    request_.refresh_from_db()
    assert (request_.state, request_.note, request_.decided_by) == ("granted", "Gladly", admin)
    assert request_.allocation == extra and request_.decided_at and kinds(request_) == ["asked", "granted"]
    assert list(proof.problems()) == []


def test_what_is_renewed_is_used_before_what_is_on_top(
    request_: AllocationRequest, mine: Allocation, admin: User, alice: User
) -> None:
    extra = request_.grant(admin, version=1)
    assert spend(alice, 400).allocation == extra
    Allocation.objects.filter(pk=mine.pk).update(period_began=in_days(-60))
    assert spend(alice, 400).allocation == mine


def test_what_everyone_may_use_stays_open_beside_it(alice: User, admin: User, token: APIToken) -> None:
    everyones = Allocation.objects.get()
    everyones.change(version=0, actor=admin, token_limit=1000)
    spend(alice, 1000)
    extra = ask(alice, tokens=500, reason=REASON).grant(admin, version=1)
    assert extra.tokens == [token] and spend(alice, 500).allocation == extra
    with pytest.raises(NothingLeft):
        spend(alice, 1)
    Allocation.objects.filter(pk=everyones.pk).update(period_began=in_days(-60))
    assert spend(alice, 1000).allocation == everyones


def test_one_s_own_still_stands_for_what_everyone_may_use(
    request_: AllocationRequest, alice: User, admin: User
) -> None:
    request_.grant(admin, version=1)
    assert not any(one.is_everyones for one in Allocation.objects.open_to(alice))


def test_a_group_s_budget_is_not_touched(alice: User, bob: User, admin: User, token: APIToken) -> None:
    group = Group.objects.create(name="Research")
    group.user_set.add(alice, bob)
    shared = Allocation.objects.grant(group=group, token_limit=100, allowed_models=["gpt-4"])
    request = ask(alice, tokens=500, reason=REASON)
    assert request.patterns == [shared] and request.to_raise == []
    extra = request.grant(admin, version=1)
    assert extra.allowed_models == ["gpt-4"]
    assert extra not in Allocation.objects.open_to(bob)
    assert [spend(alice, 100).allocation for _ in range(2)] == [shared, extra]


def test_who_has_nothing_gets_something(alice: User, admin: User, token: APIToken) -> None:
    Allocation.objects.get().revoke(actor=admin)
    extra = ask(alice, cost=Decimal("2.50"), reason=REASON).grant(admin, version=1)
    assert (extra.token_limit, extra.cost_limit) == (None, Decimal("2.5")) and extra.tokens == [token]
    assert Allocation.objects.open_to(alice) == [extra]


def test_it_can_be_raised_for_good_instead(
    request_: AllocationRequest, mine: Allocation, admin: User, alice: User
) -> None:
    assert request_.to_raise == [mine]
    request_.grant(admin, "From now on", version=1, raising=mine)
    mine.refresh_from_db()
    assert (mine.token_limit, mine.period, mine.version) == (6000, Period.MONTH, 1)
    step = request_.steps.last()
    assert step and (step.kind, step.is_raise, step.tokens, step.until) == ("granted", True, 5000, None)
    assert Allocation.objects.filter(user=alice).count() == 1 and spend(alice, 5000).allocation == mine
    assert list(proof.problems()) == []


def test_a_limit_that_is_not_there_cannot_be_raised(mine: Allocation, admin: User, alice: User) -> None:
    request = ask(alice, cost=Decimal(1), reason=REASON)
    with pytest.raises(ValidationError, match="no such limit"):
        request.grant(admin, version=1, raising=mine)
    assert request.is_open
    request.refresh_from_db()
    assert request.is_open and kinds(request) == ["asked"]


def test_something_else_can_be_granted(request_: AllocationRequest, admin: User) -> None:
    extra = request_.change(admin, "Half of it", version=1, tokens=2500)
    assert (extra.token_limit, extra.valid_until, request_.state) == (2500, None, "changed")
    step = request_.steps.last()
    assert step and (step.kind, step.tokens, step.text) == ("changed", 2500, "Half of it")
    request_.refresh_from_db()
    assert request_.tokens == 5000


def test_refused_nothing_is_granted_and_there_is_a_reason(request_: AllocationRequest, admin: User) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        request_.refuse(admin, " ", version=1)
    request_.refuse(admin, "The budget is spent", version=1)
    assert (request_.state, request_.allocation) == ("refused", None)
    assert kinds(request_) == ["asked", "refused"] and Allocation.objects.count() == 2


def test_a_day_that_passed_while_nobody_decided_is_not_granted(
    request_: AllocationRequest, admin: User
) -> None:
    AllocationRequest.objects.update(until=in_days(-1))
    request_.refresh_from_db()
    with pytest.raises(ValidationError, match="This day is over"):
        request_.grant(admin, version=1)
    request_.change(admin, version=1, tokens=5000)


# Who is first


def test_nobody_grants_what_they_have_not_seen(request_: AllocationRequest, alice: User, admin: User) -> None:
    ask(alice, tokens=10**9, reason="Much more")
    for one in (request_, AllocationRequest.objects.get()):
        with pytest.raises(ChangedMeanwhile):
            one.grant(admin, version=1)
    with pytest.raises(ChangedMeanwhile):
        request_.grant(admin, version=2)
    assert Allocation.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_admins_who_decide_at_once_one_does(
    request_: AllocationRequest, alice: User, admin: User
) -> None:
    seen = [AllocationRequest.objects.get() for _ in range(8)]

    def decide(number: int) -> object:
        match number % 4:
            case 0:
                return seen[number].grant(admin, version=1)
            case 1:
                return seen[number].change(admin, version=1, tokens=7)
            case 2:
                return seen[number].refuse(admin, "No", version=1)
        return seen[number].withdraw() or ChangedMeanwhile()

    outcomes = at_once(8, decide)
    lost = [one for one in outcomes if isinstance(one, ChangedMeanwhile)]
    assert len(lost) == 7, outcomes
    request_.refresh_from_db()
    assert not request_.is_open and kinds(request_) == ["asked", request_.state]
    granted = Allocation.objects.filter(is_extra=True).count()
    assert granted == (request_.state in ("granted", "changed"))


# Through the portal


async def test_run_out_ask_be_granted_go_on(
    alice_async: AsyncClient, alice: User, admin: User, token: APIToken
) -> None:
    await in_database(Allocation.objects.grant, user=alice, token_limit=1000)
    await in_database(spend, alice, 1000)
    refused = await send(alice_async, "/conversations/", htmx=True, text="Hello", model="gpt-4")
    assert refused.status_code == 429 and ASK in refused.content.decode()

    asked = await alice_async.post(ASK, {"tokens": "5000", "reason": REASON})
    assert asked.status_code == 302
    request = await AllocationRequest.objects.aget()
    desk = AsyncClient()
    await desk.aforce_login(admin)
    page = f"/admin/allocation/allocationrequest/{request.pk}/change/"
    way = (await desk.get(page)).context["form"].initial["way"]
    fields = {"decision": "grant", "tokens": "5000", "way": way, "seen_version": "1"}
    assert (await desk.post(page, fields)).status_code == 302

    accepted = await send(alice_async, "/conversations/", htmx=True, text="Hello", model="gpt-4")
    assert accepted.status_code == 200 and "HX-Redirect" in accepted.headers
    answer = await until_ended(await last_answer(await begin(alice_async, "And again")))
    assert answer.state == "complete"


def post(client: Client, **fields: Any) -> HttpResponse:
    return client.post(ASK, {"tokens": "5000", "reason": REASON, **fields})


def page(client: Client, path: str = ASK) -> str:
    return html.unescape(client.get(path).content.decode())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tokens": "-5"}, "greater than or equal to 1"),
        ({"tokens": "0"}, "greater than or equal to 1"),
        ({"tokens": "NaN"}, "Enter a whole number."),
        ({"tokens": "1e400"}, "Enter a whole number."),
        ({"tokens": "9" * 5000}, "Enter a whole number."),
        ({"tokens": "9" * 30}, "less than or equal to"),
        ({"tokens": ""}, "Say how much: tokens, money, or both."),
        ({"cost": "-1"}, "greater than or equal to 0.01"),
        ({"cost": "0"}, "greater than or equal to 0.01"),
        ({"cost": "NaN"}, "Enter a number."),
        ({"cost": "Infinity"}, "Enter a number."),
        ({"cost": "1e400"}, "less than or equal to"),
        ({"cost": "0.001"}, "no more than 2 decimal places"),
        ({"until": "2020-01-01"}, "This day is over."),
        ({"until": "9999-12-31"}, "more than ten years away"),
        ({"until": "0001-01-01"}, "This day is over."),
        ({"until": "tomorrow"}, "Enter a valid date."),
        ({"reason": ""}, "This field is required."),
        ({"reason": "  \n "}, "This field is required."),
        ({"reason": "x" * 10**6}, "at most 2000 characters"),
        ({"reason": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_makes_no_sense_is_said_beside_what_was_typed(
    as_alice: Client, wrong: dict[str, str], sentence: str
) -> None:
    response = post(as_alice, **wrong)
    said = html.unescape(response.content.decode())
    assert response.status_code == 422 and sentence in said
    assert said.count('role="alert"') == 1
    assert not AllocationRequest.objects.exists()


def test_nobody_decides_by_what_they_send(as_alice: Client, alice: User, bob: User) -> None:
    forged = {
        "user": str(bob.pk), "state": "granted", "decided_by": str(alice.pk), "allocation": "1", "note": "Yes",
        "version": "7", "is_extra": "on", "language": "xx",
    }  # fmt: skip
    assert post(as_alice, **forged).status_code == 302
    request = AllocationRequest.objects.get()
    assert (request.user, request.state, request.decided_by, request.note) == (alice, "open", None, "")
    assert (request.version, request.language) == (1, "en") and not Allocation.objects.exists()


def test_somebody_else_s_is_not_there(as_alice: Client, as_bob: Client, client: Client, bob: User) -> None:
    request = ask(bob, tokens=5, reason="A secret of Bob")
    assert "A secret of Bob" not in page(as_alice)
    assert as_alice.post(f"{ASK}{request.pk}/withdraw/").status_code == 404
    assert client.get(ASK).status_code == client.post(f"{ASK}{request.pk}/withdraw/").status_code == 302
    request.refresh_from_db()
    assert request.is_open
    assert as_bob.get(f"{ASK}{request.pk}/withdraw/").status_code == 405


def test_one_can_change_and_withdraw_what_waits(as_alice: Client) -> None:
    post(as_alice, until=in_days(2).isoformat())
    assert "You have asked for 5,000 tokens until" in page(as_alice)
    form = as_alice.get(ASK).context["form"]
    assert (form["tokens"].value(), form["reason"].value()) == (5000, REASON)
    post(as_alice, tokens="", cost="2.50", reason="<b>Less</b>")
    request = AllocationRequest.objects.get()
    assert (request.tokens, request.cost, request.until) == (None, Decimal("2.5"), None)
    raw = as_alice.get(ASK).content.decode()
    assert "&lt;b&gt;Less&lt;/b&gt;" in raw and "<b>Less" not in raw
    path = f"{ASK}{request.pk}/withdraw/"
    assert "You have withdrawn your request." in as_alice.post(path, follow=True).content.decode()
    assert "This request is no longer open" in as_alice.post(path, follow=True).content.decode()


def test_both_see_every_step(request_: AllocationRequest, as_alice: Client, admin: User) -> None:
    request_.change(admin, "Half of it", version=1, tokens=2500)
    seen = page(as_alice)
    for text in (REASON, "5,000 tokens until", "2,500 tokens", "Half of it", "granted with changes", "admin"):
        assert text in seen, text


def test_a_decision_is_told_on_the_next_page_until_it_was_looked_at(
    request_: AllocationRequest, as_alice: Client, as_bob: Client, admin: User
) -> None:
    assert "See what became of it" not in page(as_alice, "/conversations/")
    request_.refuse(admin, "No", version=1)
    for _ in range(2):
        assert "Your request for more was refused" in page(as_alice, "/conversations/")
    assert "See what became of it" not in page(as_bob, "/conversations/")
    page(as_alice)
    assert "See what became of it" not in page(as_alice, "/conversations/")


def test_it_says_all_in_chinese(request_: AllocationRequest, as_alice: Client, admin: User) -> None:
    request_.change(admin, "一半", version=1, tokens=2500)
    as_alice.post("/i18n/setlang/", {"language": "zh-hans"})
    assert "你获批的与所申请的不同" in page(as_alice, "/conversations/")
    seen = page(as_alice)
    assert "申请更多额度" in seen and "5,000 个 token" in seen and "Ask for more" not in seen


# By mail


def test_those_who_may_decide_are_told_by_mail(
    as_alice: Client, alice: User, admin: User, settings: Settings
) -> None:
    settings.MAIL_CONFIGURED = True
    User.objects.create_superuser("gone", "gone@example.org", "x", is_active=False)
    User.objects.create_user("staff", "staff@example.org", "x", is_staff=True)
    as_alice.post("/i18n/setlang/", {"language": "zh-hans"})
    post(as_alice)
    (letter,) = mail.outbox
    request = AllocationRequest.objects.get()
    assert letter.to == [admin.email] and letter.subject == "alice asks for more"
    assert "5,000 tokens" in letter.body and REASON in letter.body
    assert f"http://testserver/admin/allocation/allocationrequest/{request.pk}/change/" in letter.body
    post(as_alice, tokens="6000")
    assert len(mail.outbox) == 1


def test_without_mail_nobody_is_written_to(as_alice: Client, admin: User) -> None:
    post(as_alice)
    assert mail.outbox == []


def test_a_mail_server_that_is_away_costs_nobody_the_request(
    as_alice: Client, admin: User, settings: Settings
) -> None:
    settings.MAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert post(as_alice).status_code == 302
    assert AllocationRequest.objects.open().count() == 1
