"""Do the practice faults that end a stream badly do what their line in the catalogue says?"""

import json

import httpx
import pytest

from tests.demo.conftest import Asker
from tests.demo.reading import chunks_of, partial_text, received, start_of, stream_body, text_of
from webchat.demo import DemoServer
from webchat.demo.faults import practice


async def test_a_reset_midway_comes_after_twenty_chunks(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F11")
    assert isinstance(error, httpx.ReadError)
    assert partial_text(data) == practice.PARTIAL_TEXT


async def test_a_close_that_looks_complete_raises_nothing(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F12")
    assert error is None
    assert partial_text(data) == practice.PARTIAL_TEXT
    assert b"[DONE]" not in data and b'"stop"' not in data


async def test_a_finish_without_done(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F12-finish")
    assert (error, partial_text(data)) == (None, practice.TEXT)
    assert b"[DONE]" not in data and b'"stop"' in data


async def test_a_chunked_body_that_ends_early(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F13")
    assert isinstance(error, httpx.RemoteProtocolError)
    assert partial_text(data) == practice.PARTIAL_TEXT


@pytest.mark.parametrize("name", ["F11", "F13"])
async def test_a_whole_answer_is_cut_too(ask: Asker, name: str) -> None:
    with pytest.raises(httpx.TransportError):
        await ask.post("hello", model=f"fault-{name}")


async def test_a_whole_answer_that_looks_complete_is_no_json(ask: Asker) -> None:
    reply = await ask.post("hello", model="fault-F12")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize("name", ["F14", "F14-first", "F14-headers", "F28-open"])
async def test_silence_lasts_until_the_client_leaves(
    server: DemoServer, http: httpx.AsyncClient, name: str
) -> None:
    http.timeout = httpx.Timeout(5, read=0.2)
    data, error = await received(http, f"fault-{name}")
    assert isinstance(error, httpx.ReadTimeout)
    expected = {"F14": practice.PARTIAL_TEXT, "F28-open": practice.TEXT + " This comes too late."}
    assert text_of(chunks_of(data.decode())) == expected.get(name, "")
    assert await server.requests[0].ended(2)
    assert server.requests[0].aborted


async def test_comments_go_on_for_ever(server: DemoServer, http: httpx.AsyncClient) -> None:
    data = await start_of(http, "fault-F15@5ms", b": keepalive\n\n" * 3)
    assert partial_text(data) == practice.PARTIAL_TEXT
    assert await server.requests[0].ended(2)
    only = await start_of(http, "fault-F15-first@5ms", b": keepalive\n\n" * 3)
    assert partial_text(only) == ""


@pytest.mark.parametrize(("name", "least"), [("F16", 3), ("F16-bytes", 0)])
async def test_a_drip(http: httpx.AsyncClient, name: str, least: int) -> None:
    async with http.stream("POST", "/v1/chat/completions", json=stream_body(f"fault-{name}@2ms")) as reply:
        blocks = []
        async for block in reply.aiter_raw():
            blocks.append(block)
            if len(blocks) > 60:
                break
    assert partial_text(b"".join(blocks)).startswith(practice.PARTIAL_TEXT)
    assert len(partial_text(b"".join(blocks))) >= len(practice.PARTIAL_TEXT) + least


async def test_a_stream_that_ends_inside_a_character(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F18-cut")
    assert error is None
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert data.endswith("你".encode() + "好".encode()[:1])
