"""A token that was refused is tried from time to time, and comes back by itself when the upstream takes it."""

import asyncio
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tests.allocation.small_upstream import SmallUpstream
from tests.at_once import at_once
from tests.chat.asking import until
from webchat import background
from webchat.accounts.models import User
from webchat.allocation import alarms, comeback
from webchat.allocation.models import APIToken, ModelInfo, UsageRecord
from webchat.background import in_database
from webchat.upstream.errors import Forbidden, NoCredit, RateLimited, TokenRefused, UpstreamError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def troubled(transactional_db: None, small_upstream: SmallUpstream) -> APIToken:
    """Refused a minute ago."""
    token = APIToken.objects.all().add("sk-bought-and-good", label="Team", base_url=small_upstream.url)
    return refused(token, TokenRefused())


def refused(token: APIToken, error: UpstreamError, ago: timedelta = MINUTE) -> APIToken:
    alarms.token_refused(token, error)
    then = timezone.now() - ago
    APIToken.objects.filter(pk=token.pk).update(last_error_at=then, retry_at=then + MINUTE)
    return APIToken.objects.get(pk=token.pk)


async def swept() -> list[APIToken]:
    back = await comeback.sweep()
    await background.drain(1)
    return back


async def test_it_comes_back_when_the_upstream_takes_it(
    troubled: APIToken, small_upstream: SmallUpstream, admin: User
) -> None:
    await ModelInfo.objects.filter(name="gpt-4").aupdate(completion_price=1_000_000)
    assert await swept() == [troubled]
    await troubled.arefresh_from_db()
    assert (troubled.last_error, troubled.last_error_at, troubled.retry_at) == ("", None, None)
    assert small_upstream.asked == {"models": 1, "chat": 1}
    record = await UsageRecord.objects.aget()
    assert (record.source, record.user_id, record.total_tokens, record.spent_cost) == ("probe", None, 9, 1)
    assert await swept() == [] and small_upstream.asked["models"] == 1


async def test_not_before_its_time(troubled: APIToken, small_upstream: SmallUpstream) -> None:
    await APIToken.objects.aupdate(retry_at=timezone.now() + MINUTE)
    assert await swept() == [] and not small_upstream.asked


@pytest.mark.parametrize("change", [{"is_active": False}, {"expires_on": "2020-01-01"}])
async def test_not_when_nobody_may_use_it(
    troubled: APIToken, small_upstream: SmallUpstream, change: dict[str, object]
) -> None:
    await APIToken.objects.aupdate(**change)
    assert await swept() == [] and not small_upstream.asked


async def test_a_limit_is_over_by_itself(
    transactional_db: None, token: APIToken, small_upstream: SmallUpstream, settings: Settings, admin: User
) -> None:
    settings.MAIL_CONFIGURED = True
    limit = RateLimited()
    limit.retry_after = 300
    limited = await in_database(refused, token, limit, 2 * MINUTE)
    assert limited.last_error == "rate_limited" and not limited.is_in_trouble
    assert await swept() == [] and not mail.outbox


@pytest.mark.parametrize("code", [401, 402, 403])
async def test_that_it_lists_its_models_is_not_enough(
    troubled: APIToken, small_upstream: SmallUpstream, code: int
) -> None:
    small_upstream.chat_status = code
    assert await swept() == [] and small_upstream.asked == {"models": 1, "chat": 1}
    await troubled.arefresh_from_db()
    assert troubled.is_in_trouble and (await UsageRecord.objects.aget()).total_tokens == 0


async def test_it_is_asked_for_what_it_was_refused_for(
    troubled: APIToken, small_upstream: SmallUpstream
) -> None:
    small_upstream.models = ["gpt-4", "claude-2.1", "bing"]
    await UsageRecord.objects.acreate(
        api_token=troubled, source="chat", model="claude-2.1", error_code="token_refused", outcome="failed"
    )
    assert await swept() == [troubled]
    assert (await UsageRecord.objects.aget(source="probe")).model == "claude-2.1"


@pytest.mark.parametrize(("lasts", "pause"), [(1, 1), (2, 2), (8, 8), (50, 50), (61, 60), (60 * 48, 60)])
@pytest.mark.parametrize("trouble", ["refused", "unreachable", "locked"])
async def test_the_pause_doubles_up_to_an_hour(
    troubled: APIToken, small_upstream: SmallUpstream, trouble: str, lasts: int, pause: int
) -> None:
    small_upstream.listing_status = 401
    then = timezone.now() - lasts * MINUTE
    await APIToken.objects.aupdate(last_error_at=then, retry_at=timezone.now())
    if trouble == "unreachable":
        await APIToken.objects.aupdate(base_url="http://127.0.0.1:9")
    if trouble == "locked":
        await APIToken.objects.aupdate(sealed="nothing that was ever sealed")
    assert await swept() == []
    await troubled.arefresh_from_db()
    assert troubled.retry_at and troubled.last_error == "token_refused" and troubled.last_error_at == then
    assert abs(troubled.retry_at - timezone.now() - pause * MINUTE) < timedelta(seconds=20)


def test_of_several_processes_one_tries(troubled: APIToken) -> None:
    assert sorted(at_once(5, lambda _number: troubled.claim_try())) == [False, False, False, False, True]


def test_without_trouble_there_is_one_look(troubled: APIToken) -> None:
    assert comeback.due() == [troubled]
    troubled.note_success()
    with CaptureQueriesContext(connection) as asked:
        assert comeback.due() == []
    assert len(asked) == 1


async def test_the_portal_looks_by_itself(troubled: APIToken, small_upstream: SmallUpstream) -> None:
    comeback.watch(every=0.05)
    comeback.watch(every=0.05)

    async def is_back() -> bool:
        return not await APIToken.objects.exclude(last_error="").aexists()

    await until(is_back)
    assert small_upstream.asked["models"] == 1
    await background.drain(2, cancel=True)


@pytest.mark.parametrize("error", [NoCredit(), Forbidden()])
def test_a_limit_does_not_hide_a_worse_trouble(
    token: APIToken, admin: User, settings: Settings, error: UpstreamError
) -> None:
    settings.MAIL_CONFIGURED = True
    for problem in (error, RateLimited(), error):
        alarms.token_refused(token, problem)
    assert APIToken.objects.get().last_error == error.code and len(mail.outbox) == 1


def test_who_works_and_is_refused_by_turns_is_no_news_each_time(
    token: APIToken, admin: User, settings: Settings
) -> None:
    """As one that is forbidden for one model and good for another."""
    settings.MAIL_CONFIGURED = True
    for _time in range(3):
        alarms.token_refused(token, Forbidden())
        APIToken.objects.get().note_success()
    assert len(mail.outbox) == 1


async def test_two_who_are_refused_at_once_bring_the_news_once(troubled: APIToken) -> None:
    await in_database(troubled.note_success)
    news = await asyncio.to_thread(at_once, 5, lambda _number: troubled.note_refusal("no_credit"))
    assert sorted(news) == [False, False, False, False, True]
