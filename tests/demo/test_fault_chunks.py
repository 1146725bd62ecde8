"""Do the practice faults in chunks do what their line in the catalogue says?"""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.demo.conftest import Asker
from tests.demo.reading import chunks_of, received, stream_body, text_of, wire
from webchat.demo import DemoServer
from webchat.demo.faults import practice


async def test_an_error_instead_of_a_whole_answer(ask: Asker) -> None:
    reply = await ask.post("hello", model="fault-F25")
    assert (reply.status_code, reply.json()["error"]["code"]) == (200, "internal_error")


@pytest.mark.parametrize(("name", "bad"), [("F17", 1), ("F17-many", 8)])
async def test_malformed_chunks_among_good_ones(http: httpx.AsyncClient, name: str, bad: int) -> None:
    data, error = await received(http, f"fault-{name}")
    good: list[dict[str, Any]] = []
    failed = 0
    for event in data.decode().split("\n\n")[:-2]:
        try:
            good.append(json.loads(event.removeprefix("data: ")))
        except json.JSONDecodeError:
            failed += 1
    assert (failed, error) == (bad, None)
    assert text_of(good) == practice.TEXT


async def test_text_arrives_byte_by_byte(server: DemoServer, http: httpx.AsyncClient) -> None:
    assert b"\r\n1\r\n\xe4\r\n1\r\n\xbd\r\n1\r\n\xa0\r\n" in await wire(server, "fault-F18")  # 你
    data, _ = await received(http, "fault-F18")
    assert text_of(chunks_of(data.decode())) == practice.MANY_SCRIPTS


async def test_bytes_that_are_no_utf8(http: httpx.AsyncClient) -> None:
    data, _ = await received(http, "fault-F19")
    assert data.startswith(b"\xef\xbb\xbfdata: ")
    text = text_of(chunks_of(data.decode("utf-8-sig", "replace")))
    assert text == practice.ILL_ENCODED_TEXT
    assert "\ufffd" in text and "你好" in text


async def test_odd_separators_are_in_the_text(http: httpx.AsyncClient) -> None:
    data, _ = await received(http, "fault-F20")
    assert "\u2028".encode() in data and "\u0085".encode() in data
    assert text_of(chunks_of(data.decode())) == practice.ODD_SEPARATORS


@pytest.mark.parametrize("name", ["F21", "F21-line", "F21-event", "F21-answer"])
async def test_floods_end_when_the_client_leaves(
    server: DemoServer, http: httpx.AsyncClient, name: str
) -> None:
    size = 0
    async with http.stream("POST", "/v1/chat/completions", json=stream_body(f"fault-{name}")) as reply:
        async for block in reply.aiter_raw():
            size += len(block)
            if size > 3_000_000:
                break
    assert await server.requests[0].ended(2)
    assert server.requests[0].aborted


async def test_a_huge_delta(http: httpx.AsyncClient) -> None:
    data, _ = await received(http, "fault-F21-delta")
    assert max(map(len, data.split(b"\n\n"))) > 10 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("F25", practice.PARTIAL_TEXT, "internal_error"),
        ("F25-quota", practice.PARTIAL_TEXT, "insufficient_quota"),
        ("F25-first", "", "internal_error"),
        ("F02-stream", "", "insufficient_quota"),
    ],
)
async def test_errors_inside_a_stream(ask: Asker, name: str, text: str, code: str) -> None:
    chunks = await ask.chunks("hello", model=f"fault-{name}")
    assert chunks[-1]["error"]["code"] == code
    assert text_of(chunks) == text


@pytest.mark.parametrize(
    ("name", "place", "completion"),
    [
        ("F26", "choices", len(practice.PIECES)),
        ("F26-choices", "choices", len(practice.PIECES)),
        ("F26-top", "top", len(practice.PIECES)),
        ("F26-final", "final", len(practice.PIECES)),
        ("F26-missing", "nowhere", None),
        ("F26-negative", "choices", -100),
        ("F26-strings", "choices", "many"),
    ],
)
async def test_places_and_forms_of_usage(ask: Asker, name: str, place: str, completion: Any) -> None:
    chunks = await ask.chunks("hello", model=f"fault-{name}")
    found = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            found |= {"choices": choice["usage"]} if "usage" in choice else {}
        if "usage" in chunk:
            found |= {"top" if chunk["choices"] else "final": chunk["usage"]}
    assert list(found) == ([] if place == "nowhere" else [place])
    assert found.get(place, {}).get("completion_tokens") == completion
    assert text_of(chunks) == practice.TEXT


async def test_odd_chunks_do_not_change_the_text(ask: Asker) -> None:
    chunks = await ask.chunks("hello", model="fault-F27")
    deltas = [choice.get("delta", "missing") for chunk in chunks for choice in chunk.get("choices", [{}])]
    assert None in deltas and "missing" in deltas and {"content": None} in deltas
    assert text_of(chunks) == practice.TEXT


async def test_two_indexes_interleave(ask: Asker) -> None:
    chunks = await ask.chunks("hello", model="fault-F27-n2")
    assert (text_of(chunks, 0), text_of(chunks, 1)) == (practice.TEXT, practice.TEXT.upper())


async def test_data_after_done(http: httpx.AsyncClient) -> None:
    data, _ = await received(http, "fault-F28")
    before, between, after = data.split(b"data: [DONE]\n\n")
    assert text_of(chunks_of(before.decode())) == practice.TEXT
    assert b"too late" in between
    assert after == b""


async def test_five_thousand_chunks_a_second(ask: Asker) -> None:
    chunks = await ask.chunks("hello", model="fault-F30")
    assert len(chunks) == practice.FAST_CHUNKS + 2
    assert text_of(chunks) == practice.FAST_TEXT


async def test_many_streams_at_once(ask: Asker) -> None:
    answers = await asyncio.gather(*(ask.chunks("hello", model="fault-F31@1ms") for _ in range(20)))
    assert {text_of(chunks) for chunks in answers} == {practice.TEXT}
