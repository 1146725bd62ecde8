import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.upstream.scripted import DONE, SECRET, SSE, ask, ask_until_error, chunk, question, text_of
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.patience import read_retry_after
from webchat.upstream.wire import Retrying


async def fine(wire):
    await wire.send(SSE, chunk("fine", "stop"), DONE)


async def reset(wire):
    wire.abort()


def refuses(status, headers=""):
    return lambda wire: wire.reply(status, b"", "Retry-After: 0\r\n" if headers == "" else headers)


def retryings(events):
    return [event for event in events if isinstance(event, Retrying)]


@pytest.mark.parametrize(
    ("fault", "code", "times"),
    [
        (refuses(500), "upstream_down", 2),
        (refuses(503), "upstream_down", 2),
        (refuses(429), "rate_limited", 2),
        (refuses(408), "request_timeout", 1),
        (reset, "connection_lost", 1),
    ],
)
async def test_a_fault_that_passes_is_waited_for(upstream, client, fault, code, times):
    upstream.will(*[fault] * times, fine)
    events = await ask(client)
    assert text_of(events) == "fine"
    assert [(event.error_code, event.attempt) for event in retryings(events)] == [
        (code, number + 1) for number in range(times)
    ]


@pytest.mark.parametrize(
    ("fault", "code", "times"),
    [
        (refuses(502), "upstream_down", 3),
        (refuses(429), "rate_limited", 3),
        (refuses(408), "request_timeout", 2),
        (reset, "connection_lost", 2),
        (refuses(400), "invalid_request", 1),
        (refuses(401), "token_refused", 1),
    ],
)
async def test_a_fault_that_stays_is_told(upstream, client, fault, code, times):
    upstream.will(fault)
    _events, error = await ask_until_error(client)
    assert error.code == code
    assert len(upstream.requests) == times


async def test_nothing_is_asked_again_once_the_answer_has_begun(upstream, client):
    oops = b'data: {"error":{"message":"x","type":"server_error"}}\n\n'
    upstream.will(lambda wire: wire.send(SSE, chunk("begun"), oops))
    events, error = await ask_until_error(client)
    assert (text_of(events), error.code, len(upstream.requests)) == ("begun", "upstream_down", 1)


async def test_an_error_that_opens_a_stream_is_asked_again(upstream, client):
    oops = b'data: {"error":{"message":"x","type":"server_error"}}\n\n'
    upstream.will(lambda wire: wire.send(SSE, oops), fine)
    assert text_of(await ask(client)) == "fine"


async def test_a_long_wait_is_not_waited_but_told(upstream, client):
    upstream.will(refuses(429, "Retry-After: 3600\r\n"))
    events, error = await ask_until_error(client)
    assert not retryings(events)
    assert error.params["seconds"] == 3600
    until = datetime.fromisoformat(error.params["until"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)


async def test_a_wait_is_announced_before_it_begins(upstream, client):
    upstream.will(refuses(429, "Retry-After: 20\r\n"))
    stream = client.chat(question())
    event = await anext(stream)
    assert (event.error_code, event.params) == ("rate_limited", {"seconds": 20})
    assert 20 <= event.seconds < 21
    await stream.aclose()


async def test_a_wait_beyond_the_total_deadline_is_not_begun(upstream):
    client = UpstreamClient(upstream.url, SECRET, deadlines=Deadlines(total=5))
    upstream.will(refuses(429, "Retry-After: 20\r\n"))
    events, error = await ask_until_error(client)
    assert not retryings(events)
    assert error.params == {"seconds": 20}


async def test_other_calls_ask_again_too(upstream, client):
    upstream.will(refuses(503), lambda wire: wire.reply(200, b'{"data":[{"id":"m"}]}'))
    assert [model.id for model in await client.models()] == ["m"]


async def test_leaving_during_a_wait_ends_it(upstream, client):
    upstream.will(refuses(429, "Retry-After: 20\r\n"))
    task = asyncio.create_task(ask(client))
    await upstream.asked.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    _done, pending = await asyncio.wait({task}, timeout=1)
    assert not pending


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        (" 7 ", 7),
        ("-5", 0),
        ("1e999", 30 * 86400),
        ("9" * 90, 30 * 86400),
        ("9" * 5000, None),
        ("nan", None),
        ("soon", None),
        ("3, 5", None),
        ("", None),
        (None, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_every_form_of_retry_after(value, seconds):
    assert read_retry_after(value) == seconds


def test_retry_after_as_a_date_to_come():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 97 < read_retry_after(date) <= 100
