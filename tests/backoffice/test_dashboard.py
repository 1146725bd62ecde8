"""The dashboard: what was used by whom and with what, who is near the limit, what needs an admin."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.backoffice.reading import cells_of, text_of, used
from tests.conftest import as_role, signed_in
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, UsageRecord
from webchat.backoffice.dashboard import Span
from webchat.backoffice.usage_report import Report
from webchat.upstream.errors import describe

DASHBOARD = "/admin/dashboard/"
TODAY = timezone.localdate


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


def table(client: Client, name: str, **query: object) -> list[list[str]]:
    """Without its header."""
    return cells_of(client.get(f"{DASHBOARD}{name}.csv", query))[1:]


def test_it_is_the_first_thing_on_the_index(as_admin: Client) -> None:
    page = as_admin.get("/admin/").content.decode()
    assert page.index("/admin/dashboard/") < page.index("/admin/accounts/")


def test_it_adds_up_by_person_model_token_source_and_day(
    as_admin: Client, alice: User, bob: User, token: APIToken
) -> None:
    spare = APIToken.objects.all().add("sk-another-one-5521", label="Spare", base_url=token.base_url)
    used(alice, 100, cost="0.5", first_token_ms=200, duration_ms=1000)
    used(alice, 50, cost="0.25", model="claude", source="title", first_token_ms=400, duration_ms=3000)
    used(bob, 1000, cost="0.1", api_token=spare)
    used(bob, 0, outcome="failed", first_token_ms=None)
    day = TODAY().isoformat()
    assert table(as_admin, "people", period="day") == [
        ["alice", "2", "150", "0.750000000", "0"],
        ["bob", "2", "1000", "0.100000000", "1"],
    ]
    assert table(as_admin, "models", period="day") == [
        ["gpt-4", "3", "1100", "0.600000000", "1"],
        ["claude", "1", "50", "0.250000000", "0"],
    ]
    assert table(as_admin, "tokens", period="day") == [
        [str(token), "3", "150", "0.750000000", "1"],
        [str(spare), "1", "1000", "0.100000000", "0"],
    ]
    assert table(as_admin, "sources", period="day") == [
        ["chat", "3", "1100", "0.600000000", "1"],
        ["title", "1", "50", "0.250000000", "0"],
    ]
    assert table(as_admin, "days", period="day") == [[day, "4", "1150", "0.850000000", "1"]]
    page = text_of(as_admin.get(DASHBOARD, {"period": "day"}))
    assert "Calls 4 Tokens 1,150 Cost 0.85 USD Failures 1 People 2" in page


def test_it_says_how_often_models_fail_and_how_fast_they_are(
    as_admin: Client, alice: User, token: APIToken
) -> None:
    used(alice, first_token_ms=200, duration_ms=1000)
    used(alice, first_token_ms=400, duration_ms=4000)
    used(alice, 0, outcome="failed")
    used(alice, 0, outcome="failed", model="claude")
    rows = {row[0]: row[1:] for row in table(as_admin, "speed", period="day")}
    assert rows["gpt-4"][:2] == ["3", "1"] and rows["gpt-4"][2].startswith("0.333")
    assert rows["gpt-4"][3:] == ["300", "2500"]
    assert rows["claude"] == ["1", "1", "1.0", "", ""]
    assert "33.3 %" in text_of(as_admin.get(DASHBOARD, {"period": "day"}))


def test_who_is_in_two_groups_counts_in_both(
    as_admin: Client, alice: User, bob: User, token: APIToken
) -> None:
    research, sales = (Group.objects.create(name=name) for name in ("Research", "Sales"))
    research.user_set.set([alice, bob])
    sales.user_set.set([alice])
    used(alice, 100, cost="1")
    used(bob, 10, cost="2")
    assert table(as_admin, "groups", period="day") == [
        ["Research", "2", "110", "3.000000000", "0"],
        ["Sales", "1", "100", "1.000000000", "0"],
    ]
    assert "Who is in two groups counts in both." in text_of(as_admin.get(DASHBOARD))


def test_what_somebody_used_who_is_gone_still_counts(as_admin: Client, bob: User, token: APIToken) -> None:
    used(bob, 100)
    used(None, 10)
    UsageRecord.objects.update(user=None)
    bob.delete()
    assert sorted(table(as_admin, "people", period="day")) == [
        ["(deleted)", "1", "10", "0.000000000", "0"],
        ["(deleted)", "1", "100", "0.000000000", "0"],
    ]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, (date(2026, 11, 1), date(2026, 11, 18))),
        ({"period": "month"}, (date(2026, 11, 1), date(2026, 11, 18))),
        ({"period": "week"}, (date(2026, 11, 16), date(2026, 11, 18))),
        ({"period": "day"}, (date(2026, 11, 18), date(2026, 11, 18))),
        ({"period": "last_month"}, (date(2026, 10, 1), date(2026, 10, 31))),
        ({"period": "days", "first": "2026-01-05", "last": "2026-02-04"}, (date(2026, 1, 5), date(2026, 2, 4))),
        # What is still to come has not been used.
        ({"period": "days", "first": "2026-11-05", "last": "2999-01-01"}, (date(2026, 11, 5), date(2026, 11, 18))),
        ({"period": "days", "last": "2026-10-04"}, (date(2026, 10, 1), date(2026, 10, 4))),
        # What cannot be is said, and this month is shown.
        ({"period": "days", "first": "2026-02-05", "last": "2026-02-04"}, (date(2026, 11, 1), date(2026, 11, 18))),
        ({"period": "days", "first": "tomorrow"}, (date(2026, 11, 1), date(2026, 11, 18))),
        ({"period": "decade"}, (date(2026, 11, 1), date(2026, 11, 18))),
    ],
)  # fmt: skip
def test_each_period_is_some_days(
    monkeypatch: pytest.MonkeyPatch, query: dict[str, str], days: tuple[date, date]
) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 11, 18))
    assert Span(query).days == days


def test_what_cannot_be_is_said(as_admin: Client) -> None:
    page = text_of(as_admin.get(DASHBOARD, {"period": "days", "first": "2026-02-05", "last": "2026-02-04"}))
    assert "It has to end after it begins." in page
    assert "Enter a valid date." in text_of(as_admin.get(DASHBOARD, {"period": "days", "first": "x"}))


def test_a_day_outside_does_not_count(as_admin: Client, alice: User, token: APIToken) -> None:
    for days_ago in (10, 11, 12, 13):
        used(alice, 1, days_ago=days_ago)
    first, last = TODAY() - timedelta(days=12), TODAY() - timedelta(days=11)
    assert table(as_admin, "people", period="days", first=first, last=last) == [
        ["alice", "2", "2", "0.000000000", "0"]
    ]


def test_a_long_time_is_drawn_by_months(alice: User, token: APIToken) -> None:
    used(alice, 5, days_ago=400)
    used(alice, 7)
    chart = Report.between(date(1, 1, 1), TODAY()).tokens_chart()
    assert 13 <= len(chart.bars) <= 15
    assert (chart.bars[0].value, chart.bars[-1].value) == (5, 7)
    assert len(Report.between(TODAY() - timedelta(days=29), TODAY()).tokens_chart().bars) == 30


# Who is near the limit


def spent(allocation: Allocation, tokens: int, cost: str = "0") -> None:
    allocation.adjust(tokens=tokens, cost=Decimal(cost), actor=None, reason="For the test")


def test_who_has_spent_four_fifths_is_near_the_limit(
    as_admin: Client, alice: User, bob: User, charlie: User, token: APIToken
) -> None:
    spent(Allocation.objects.grant(user=alice, token_limit=1000), 800)
    spent(Allocation.objects.grant(user=bob, token_limit=1000), 799)
    spent(Allocation.objects.grant(user=charlie, token_limit=1000, cost_limit=Decimal(10)), 5, "9.5")
    rows = table(as_admin, "limits")
    assert [(row[0], row[5]) for row in rows] == [("charlie", "0.95"), ("alice", "0.8")]
    page = as_admin.get(DASHBOARD).content.decode()
    assert '<meter min="0" max="100" low="80" high="95" optimum="0" value="95">' in page
    assert f'<a href="/admin/people/{alice.pk}/">alice</a>' in page


def test_what_is_over_or_not_in_force_is_near_no_limit(
    as_admin: Client, alice: User, token: APIToken
) -> None:
    now = timezone.now()
    terms = {"user": alice, "token_limit": 100}
    revoked = Allocation.objects.grant(**terms)
    ended = Allocation.objects.grant(**terms, valid_until=now + timedelta(hours=1))
    to_come = Allocation.objects.grant(**terms, valid_from=now + timedelta(hours=1))
    earlier = Allocation.objects.grant(**terms)
    for allocation in (revoked, ended, to_come, earlier):
        spent(allocation, 90)
    revoked.revoke(actor=None)
    Allocation.objects.filter(pk=ended.pk).update(valid_until=now)
    Allocation.objects.filter(pk=earlier.pk).update(period_began=date(2020, 1, 1))
    spent(Allocation.objects.grant(user=alice), 10**12)
    assert table(as_admin, "limits") == []


def test_the_largest_limits_can_be_compared(as_admin: Client, alice: User, token: APIToken) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=2**63 - 1, cost_limit=Decimal(10**9))
    spent(mine, 2**63 - 2, str(10**9 - 1))
    assert [row[0] for row in table(as_admin, "limits")] == ["alice"]


# What needs an admin


def test_tokens_in_trouble_or_soon_over_are_listed(as_admin: Client, token: APIToken) -> None:
    def another(number: int, **fields: object) -> APIToken:
        made = APIToken.objects.all().add(
            f"sk-another-{number:04}", label=f"T{number}", base_url=token.base_url
        )
        APIToken.objects.filter(pk=made.pk).update(**fields)
        return made

    another(1, expires_on=TODAY() + timedelta(days=14))
    another(2, expires_on=TODAY() + timedelta(days=15))
    another(3, expires_on=TODAY() - timedelta(days=1))
    another(4, last_error="insufficient_quota", last_error_at=timezone.now())
    another(5, last_error="insufficient_quota", is_active=False)
    rows = table(as_admin, "trouble")
    assert [row[0][:2] for row in rows] == ["T1", "T3", "T4"]
    assert rows[2][1] == describe("insufficient_quota", {})


# Who may see it, and what it takes


def test_members_are_sent_to_sign_in_and_staff_without_permission_is_refused(
    as_alice: Client, bob: User
) -> None:
    for path in (DASHBOARD, f"{DASHBOARD}people.csv"):
        response = as_alice.get(path)
        assert response.status_code == 302 and "/login/" in response["Location"]
        assert "/login/" in Client().get(path)["Location"]
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    as_staff = signed_in(Client(), bob)
    assert as_staff.get(DASHBOARD).status_code == 403
    assert as_staff.get(f"{DASHBOARD}people.csv").status_code == 403
    assert DASHBOARD not in as_staff.get("/admin/").content.decode()


def test_who_may_see_usage_may_see_it(bob: User, token: APIToken) -> None:
    assert as_role(bob, "auditor").get(DASHBOARD).status_code == 200


def test_a_table_that_does_not_exist_is_not_found(as_admin: Client) -> None:
    assert as_admin.get(f"{DASHBOARD}secrets.csv").status_code == 404
    assert as_admin.post(DASHBOARD).status_code == 405


def test_formulas_leave_as_text(as_admin: Client, alice: User, token: APIToken) -> None:
    used(alice, model="=HYPERLINK(1)")
    assert table(as_admin, "models", period="day")[0][0] == "'=HYPERLINK(1)"


def test_names_are_shown_as_text(as_admin: Client, alice: User, token: APIToken) -> None:
    used(alice, model="<b>model</b>")
    page = as_admin.get(DASHBOARD).content.decode()
    assert "&lt;b&gt;model&lt;/b&gt;" in page and "<b>model" not in page


def test_many_calls_and_people_take_no_more_queries(
    as_admin: Client, alice: User, token: APIToken, django_assert_num_queries
) -> None:
    used(alice)
    as_admin.get(DASHBOARD)
    with django_assert_num_queries(11):
        as_admin.get(DASHBOARD)
    for number in range(20):
        person = User.objects.create_user(f"person{number}")
        person.groups.add(Group.objects.create(name=f"group{number}"))
        spent(Allocation.objects.grant(user=person, token_limit=10), 9)
        used(person, model=f"model{number}", days_ago=number % 3)
    UsageRecord.objects.all()._raw_delete("default")
    with django_assert_num_queries(11):
        page = text_of(as_admin.get(DASHBOARD))
    # From the sums alone: the records are gone.
    assert "and 9 more" in page


def test_it_has_nothing_that_the_browser_would_refuse(as_admin: Client, alice: User, token: APIToken) -> None:
    used(alice)
    page = as_admin.get(DASHBOARD).content.decode()
    assert "<svg" in page and " style=" not in page and "<style" not in page
    assert "<script>" not in page and "onclick" not in page
