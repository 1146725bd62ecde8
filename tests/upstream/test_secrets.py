"""The secret goes to the upstream and nowhere else, whatever the upstream does with it."""

import logging
import traceback

import pytest

from tests.upstream.scripted import SECRET, SSE, ask_until_error, chunk, question
from webchat.upstream.client import UpstreamClient
from webchat.upstream.wire import ChatRequest, Message

ECHO = f'{{"error":{{"message":"Incorrect API key provided: {SECRET}","code":"x"}}}}'.encode()


async def reset(wire):
    wire.abort()


FAULTS = {
    **{
        str(status): (lambda wire, status=status: wire.reply(status, ECHO, "Retry-After: 0\r\n"))
        for status in (400, 401, 403, 422, 503)
    },
    "in a 200": lambda wire: wire.reply(200, ECHO),
    "in the stream": lambda wire: wire.send(SSE, chunk("x"), b"data: " + ECHO + b"\n\n"),
    "in a header": lambda wire: wire.send(b"HTTP/1.1 500 " + SECRET.encode() + b"\r\nBad Header: x\r\n\r\n"),
    "reset": reset,
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_does_not_tell_the_secret(upstream, client, caplog, name):
    caplog.set_level(logging.INFO, logger="webchat")
    upstream.will(FAULTS[name])
    events, error = await ask_until_error(client)
    told = (
        "".join(traceback.format_exception(error))
        + str(error)
        + repr(error)
        + str(error.params)
        + repr(events)
    )
    told += repr(client) + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("webchat")
    )
    assert SECRET not in told
    assert error.__context__ is None or SECRET not in repr(error.__context__)


async def test_a_request_that_cannot_be_encoded_is_an_error_without_words(upstream, client):
    request = ChatRequest(model="m", messages=[Message("user", "half a pair \ud83d")])
    _events, error = await ask_until_error(client, request)
    assert error.code == "unknown"
    assert upstream.requests == []


async def test_only_a_code_is_logged(upstream, client, caplog):
    caplog.set_level(logging.INFO, logger="webchat")
    upstream.will(lambda wire: wire.reply(401, ECHO))
    await ask_until_error(client, question())
    assert [r.getMessage() for r in caplog.records if r.name.startswith("webchat")] == [
        "upstream: token_refused, given up"
    ]


def test_the_client_does_not_show_its_secret():
    assert SECRET not in repr(UpstreamClient("http://127.0.0.1", SECRET))
