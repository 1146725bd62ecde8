"""/usage/: what is left of what, what was used in the chosen days, as a page and as CSV; one's own only."""

import csv
import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.allocation.using import used
from webchat.accounts.models import User
from webchat.allocation import reports
from webchat.allocation.models import Allocation, APIToken
from webchat.allocation.span import Span, presets

UTC = ZoneInfo("UTC")


def page(client: Client, query: str = "", status: int = 200) -> str:
    response = client.get(f"/usage/{query}")
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def table(response: HttpResponse) -> list[list[str]]:
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


# What is left


def test_what_is_left_of_what_and_when_it_is_renewed(as_alice: Client, alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(
        user=alice, token_limit=50_000, cost_limit=Decimal(10), requests_per_minute=5, answers_at_once=1,
        allowed_models=["gpt-4", "gpt-3.5-turbo"],
    )  # fmt: skip
    mine.adjust(tokens=12_345, cost=Decimal("2.5"), actor=None, reason="as if spent")
    html = page(as_alice)
    assert "37,655 of 50,000 tokens left" in html and "7.50 USD of 10.00 USD left" in html
    assert "Renewed on" in html and "gpt-4, gpt-3.5-turbo" in html
    assert "at most 5 requests a minute · at most 1 answer at once" in html


def test_a_groups_allocation_is_shown_to_its_members_only(
    as_alice: Client, as_bob: Client, alice: User, token: APIToken
) -> None:
    group = Group.objects.create(name="Writers")
    alice.groups.add(group)
    Allocation.objects.grant(group=group, token_limit=777_000)
    assert "777,000 tokens left" in page(as_alice) and "“Writers”" in page(as_alice)
    assert "777,000" not in page(as_bob) and "Shared by everyone" in page(as_bob)


def test_everyones_counts_only_for_those_who_have_nothing_else(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    assert "Shared by everyone" in page(as_alice) and "No limit" in page(as_alice)
    Allocation.objects.grant(user=alice, token_limit=5)
    assert "Shared by everyone" not in page(as_alice)


def test_one_that_begins_later_is_announced(as_alice: Client, alice: User, token: APIToken) -> None:
    begins = timezone.now() + timedelta(days=3)
    Allocation.objects.grant(
        user=alice, token_limit=5, valid_from=begins, valid_until=begins + timedelta(days=1)
    )
    html = page(as_alice)
    assert "Begins on" in html and "not yet in force" in html and "Valid until" in html
    assert "Shared by everyone" in html, "until then that is what she uses"


def test_what_ends_before_it_would_be_renewed_is_not_said_to_be(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=5)
    assert mine.renews and "Renewed on" in page(as_alice)
    ends = timezone.make_aware(datetime.combine(mine.renews, time()))
    mine.change(version=0, actor=None, valid_until=ends)
    assert "Renewed on" not in page(as_alice) and "Valid until" in page(as_alice)


def test_without_an_allocation_that_is_said(as_alice: Client, alice: User) -> None:
    assert "Nothing is allocated to you" in page(as_alice)
    ended = timezone.now() - timedelta(days=1)
    Allocation.objects.grant(user=alice, token_limit=5, valid_until=ended)
    assert "Your allocation ended on" in page(as_alice)


def test_what_is_used_up_is_marked(as_alice: Client, alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    mine.adjust(tokens=130, actor=None, reason="as if spent")
    html = page(as_alice)
    assert "0 of 100 tokens left" in html and 'class="card holding" data-state="used-up"' in html


# The meter in the sidebar


def test_the_meter_stands_on_every_page_of_the_portal(as_alice: Client, alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=2_000)
    for path in ("/conversations/", "/usage/", "/sidebar/?page=2"):
        assert "2,000 of 2,000 tokens left" in as_alice.get(path).content.decode(), path


def test_it_comes_anew_after_an_answer_for_one_query(as_alice: Client, alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=2_000)
    assert 'hx-get="/usage/left/"' in page(as_alice)
    mine.adjust(tokens=500, actor=None, reason="as if spent")
    with CaptureQueriesContext(connection) as asked:
        response = as_alice.get("/usage/left/", headers={"HX-Request": "true"})
    assert "1,500 of 2,000 tokens left" in response.content.decode()
    assert len([query for query in asked if "allocation_" in query["sql"]]) == 1


def test_it_shows_the_one_that_is_used_next(as_alice: Client, alice: User, token: APIToken) -> None:
    first = Allocation.objects.grant(user=alice, token_limit=100)
    Allocation.objects.grant(user=alice, token_limit=900, position=1)
    html = as_alice.get("/conversations/").content.decode()
    assert "100 of 100 tokens left" in html and "and 1 more allocation" in html
    first.adjust(tokens=100, actor=None, reason="as if spent")
    html = as_alice.get("/conversations/").content.decode()
    assert "900 of 900 tokens left" in html and "more allocation" not in html


def test_without_a_limit_nothing_is_asked_again(as_alice: Client, token: APIToken) -> None:
    html = page(as_alice)
    assert "No limit on what you use" in html and "/usage/left/" not in html


def test_a_page_whose_person_is_signed_out_keeps_its_meter(client: Client, db: None) -> None:
    response = client.get("/usage/left/", headers={"HX-Request": "true"})
    assert response.status_code == 204 and not response.content


# What was used


def test_it_is_added_up_by_day_and_model(as_alice: Client, alice: User, token: APIToken) -> None:
    for model, count in (("gpt-4", 3), ("gpt-3.5-turbo", 1)):
        for _call in range(count):
            used(alice, token, 1000, 200, model=model, prompt_price=Decimal(10))
    html = page(as_alice)
    assert "<dd>4</dd>" in html and "<dd>4,800</dd>" in html and "0.040 USD" in html
    assert html.index("gpt-4</th>") < html.index("gpt-3.5-turbo</th>")
    assert "3,000" in html and "Tokens by day" in html and "Cost by day" in html


def test_it_is_this_month_unless_other_days_are_chosen(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    used(alice, token, 11_000, at=datetime(2026, 2, 28, 12, tzinfo=UTC), model="old-one")
    assert "old-one" not in page(as_alice)
    assert "old-one" in page(as_alice, "?first=2026-02-28&last=2026-03-01")
    assert "old-one" not in page(as_alice, "?first=2026-03-01&last=2026-03-02")


def test_the_days_are_those_of_the_portals_time_zone(alice: User, token: APIToken) -> None:
    with timezone.override("Asia/Shanghai"):
        late = used(alice, token, at=datetime(2026, 2, 28, 17, tzinfo=UTC))
        on = {
            day: reports.of(alice, Span(day, day)).total.calls
            for day in (date(2026, 2, 28), date(2026, 3, 1))
        }
        assert list(on.values()) == [0, 1]
        assert list(reports.calls(alice, Span(date(2026, 3, 1), date(2026, 3, 1)))) == [late]


def test_a_long_time_is_shown_by_month(as_alice: Client, alice: User, token: APIToken) -> None:
    used(alice, token, at=datetime(2026, 2, 28, 12, tzinfo=UTC))
    html = page(as_alice, "?first=2026-01-15&last=2026-12-31")
    assert "Tokens by month" in html and html.count("chart__value") == 12


@pytest.mark.parametrize(
    "query",
    [
        "?first=2026-03-02&last=2026-03-01", "?first=2024-01-01&last=2026-01-01", "?first=&last=", "?first=x",
        "?first=2026-02-30", "?first=0001-01-01&last=0001-01-02", "?first=9999-12-30&last=9999-12-31",
        "?first=%00", "?last=٢٠٢٦-01-01", "?first=" + "9" * 3000,
    ],
)  # fmt: skip
def test_days_that_make_no_sense_are_said_to(as_alice: Client, query: str) -> None:
    html = page(as_alice, query, status=422)
    assert 'class="field__error"' in html and 'aria-current="true">This month' in html
    for path in ("sums.csv", "calls.csv", "conversations/"):
        assert as_alice.get(f"/usage/{path}{query}").status_code == 200


@pytest.mark.parametrize("today", [date(2026, month, day) for month in range(1, 13) for day in (1, 28)])
def test_every_usual_choice_can_be_shown(today: date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: today)
    for preset in presets():
        assert preset.span.first <= preset.span.last and (preset.span.last - preset.span.first).days < 366
        assert preset.span.last >= today or preset.span.last.month != today.month
    assert len(list(presets()[-1].span.steps())) == 12


def test_nothing_of_others_is_shown_or_exported(as_alice: Client, bob: User, token: APIToken) -> None:
    used(bob, token, 123_456, model="bobs-model")
    assert "bobs-model" not in page(as_alice) and "123,4" not in page(as_alice)
    for path in ("sums.csv", "calls.csv"):
        assert len(table(as_alice.get(f"/usage/{path}"))) == 1


def test_strangers_are_asked_to_sign_in(client: Client, db: None) -> None:
    for path in ("", "sums.csv", "calls.csv", "conversations/"):
        response = client.get(f"/usage/{path}")
        assert response.status_code == 302 and response["Location"].startswith("/accounts/login/")


def test_calls_and_sums_leave_as_csv(as_alice: Client, alice: User, token: APIToken) -> None:
    used(alice, token, 1000, 200, model="=HYPERLINK(0)", prompt_price=Decimal(10), first_token_ms=250)
    used(alice, token, 7, 0, source="title", outcome="failed", error_code="no_credit")
    header, *calls = table(as_alice.get("/usage/calls.csv"))
    assert len(calls) == 2 and len(header) == len(calls[0])
    assert calls[1][2] == "'=HYPERLINK(0)" and "0.010000000" in calls[1] and "250" in calls[1]
    header, *sums = table(as_alice.get("/usage/sums.csv"))
    assert [row[3:8] for row in sums] == [["1", "0", "0", "1000", "200"], ["1", "1", "0", "7", "0"]]
    assert as_alice.get("/usage/sums.csv")["Content-Disposition"].startswith('attachment; filename="usage-')


# However much that is


def test_the_page_asks_the_same_few_questions_however_many_calls_there_are(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(as_alice)
        return len(asked)

    used(alice, token)
    few = queries()
    for number in range(30):
        used(alice, token, model=f"model-{number % 5}", at=timezone.now() - timedelta(hours=number))
    assert queries() == few <= 10


def test_the_newest_calls_are_found_by_an_index(alice: User, token: APIToken) -> None:
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = reports.calls(alice, presets()[0].span)[:20].explain()
    # With next to no rows PostgreSQL may as well take the index by day.
    assert "allocation__user_id" in plan or (connection.vendor != "sqlite" and "Index Scan" in plan), plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan
