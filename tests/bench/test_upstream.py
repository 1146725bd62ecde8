"""The fast upstream answers as its plan says, and the floor's reader sees all of it."""

import json
from collections.abc import Iterator

import pytest

from tests.bench.answers import STAMP, Plan
from tests.bench.http_connection import HttpConnection
from tests.bench.people import Direct
from tests.bench.portal import Upstream

ASKED = b'{"model": "%s", "stream": %s, "messages": []}'
HEADERS = {"Authorization": "Bearer sk-for-the-bench"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    started = Upstream()
    yield started
    started.end()


async def test_the_floors_reader_gets_every_stamp_once(upstream: Upstream) -> None:
    reader = Direct(upstream.url)
    await reader.open()
    await reader.ask("bench-20x1ms")
    await reader.ended
    reader.close()
    assert len(reader.watch.late) == Plan.of("bench-20x1ms").stamps == 20
    assert reader.watch.asked_at < reader.watch.first_stamp < reader.watch.newest_stamp
    assert not reader.watch.problem


@pytest.mark.parametrize("model", ["bench-20x1ms", "bench-300x0.1ms-md-e5"])
async def test_an_answer_is_as_long_as_its_plan(upstream: Upstream, model: str) -> None:
    connection = HttpConnection(upstream.url)
    asked = ASKED % (model.encode(), b"true")
    reply = await connection.request("POST", "/v1/chat/completions", HEADERS, asked)
    connection.close()
    events = [event.removeprefix("data: ") for event in reply.text.split("\n\n") if event]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    assert events[-1] == "[DONE]"
    assert len(text) == Plan.of(model).characters
    assert len(STAMP.findall(text.encode())) == Plan.of(model).stamps


async def test_a_title_comes_in_one_piece(upstream: Upstream) -> None:
    connection = HttpConnection(upstream.url)
    asked = ASKED % (b"bench-20x5ms", b"false")
    reply = await connection.request("POST", "/v1/chat/completions", HEADERS, asked)
    connection.close()
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == "Bench chat"


async def test_nobody_is_answered_without_a_token(upstream: Upstream) -> None:
    connection = HttpConnection(upstream.url)
    reply = await connection.request("GET", "/v1/models", {})
    connection.close()
    assert reply.status == 401
