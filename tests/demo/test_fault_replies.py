"""Do the practice faults that are a whole reply do what their line in the catalogue says?"""

from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.demo.conftest import Asker
from tests.demo.reading import TOKEN, stream_body, wire
from webchat.demo import DemoServer

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("F01", 401, "invalid_api_key"),
        ("F02", 402, "insufficient_quota"),
        ("F02-200", 200, "insufficient_quota"),
        ("F02-403", 403, "insufficient_quota"),
        ("F02-429", 429, "insufficient_quota"),
        ("F04", 404, "model_not_found"),
        ("F05-forever", 408, None),
        ("F06", 400, "context_length_exceeded"),
        ("F07-forever", 429, "rate_limit_exceeded"),
        ("F08-500", 500, None),
        ("F24", 200, "internal_error"),
        ("F24-json", 200, "internal_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_refusals_in_json(ask: Asker, name: str, status: int, code: str | None, stream: bool) -> None:
    for _ in range(2):
        reply = await ask.post("hello", model=f"fault-{name}", stream=stream)
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


async def test_the_refused_token_is_quoted_so_that_leaks_can_be_seen(ask: Asker) -> None:
    assert TOKEN in (await ask.post("hello", model="fault-F01")).text


@pytest.mark.parametrize(
    ("name", "status", "content_type", "is_empty"),
    [
        ("F03", 403, HTML, False),
        ("F06-413", 413, HTML, False),
        ("F08-502-html", 502, HTML, False),
        ("F08-503-empty", 503, "text/plain", True),
        ("F08-504", 504, HTML, False),
        ("F24-html", 200, HTML, False),
        ("F24-204", 204, None, True),
        ("F24-empty", 200, "text/event-stream", True),
        ("F32", 200, "audio/mpeg", False),
        ("F32-empty", 200, "audio/mpeg", True),
        ("F32-wrong", 200, "audio/mpeg", False),
    ],
)
async def test_replies_of_the_wrong_kind(
    ask: Asker, name: str, status: int, content_type: str | None, is_empty: bool
) -> None:
    reply = await ask.post("hello", model=f"fault-{name}", stream=True)
    assert (reply.status_code, reply.headers.get("content-type")) == (status, content_type)
    assert (reply.content == b"") == is_empty


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("F05", [408, 200, 408, 200]),
        ("F07", [429, 200, 429, 200]),
        ("F07-garbage", [429, 200]),
        ("F08", [503, 503, 200, 503]),
    ],
)
async def test_faults_that_pass(ask: Asker, name: str, statuses: list[int]) -> None:
    assert [(await ask.post("hello", model=f"fault-{name}")).status_code for _ in statuses] == statuses
    assert (await ask.post("another question", model=f"fault-{name}")).status_code == statuses[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("F07", "3"),
        ("F07-quick", "0"),
        ("F07-long", "3600"),
        ("F07-garbage", "soon"),
        ("F07-negative", "-5"),
        ("F07-none", None),
    ],
)
async def test_forms_of_retry_after(ask: Asker, name: str, value: str | None) -> None:
    reply = await ask.post("hello", model=f"fault-{name}")
    assert (reply.status_code, reply.headers.get("retry-after")) == (429, value)


async def test_retry_after_can_be_a_date(ask: Asker) -> None:
    reply = await ask.post("hello", model="fault-F07-date")
    assert parsedate_to_datetime(reply.headers["retry-after"]) > parsedate_to_datetime(
        "Sat, 01 Jan 2022 00:00:00 GMT"
    )


async def test_a_reset_before_headers_passes_once(ask: Asker) -> None:
    with pytest.raises(httpx.ReadError):
        await ask.post("hello", model="fault-F10")
    assert (await ask.post("hello", model="fault-F10")).status_code == 200


async def test_a_gzip_bomb_is_small_on_the_wire(http: httpx.AsyncClient) -> None:
    async with http.stream("POST", "/v1/chat/completions", json=stream_body("fault-F22")) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        unpacked = 0
        async for block in reply.aiter_bytes():
            unpacked += len(block)
            if unpacked > 20_000_000:
                break
        assert reply.num_bytes_downloaded < 1_000_000


@pytest.mark.parametrize(("name", "status"), [("F23", 302), ("F23-307", 307)])
async def test_redirects_lead_to_a_canary_that_counts(
    server: DemoServer, http: httpx.AsyncClient, name: str, status: int
) -> None:
    reply = await http.post("/v1/chat/completions", json=stream_body(f"fault-{name}"))
    assert (reply.status_code, server.canary_hits) == (status, 0)
    http.follow_redirects = True
    await http.post("/v1/chat/completions", json=stream_body(f"fault-{name}"))
    assert server.canary_hits == 1


async def test_a_redirect_to_the_metadata_address(ask: Asker) -> None:
    reply = await ask.post("hello", model="fault-F23-metadata")
    assert reply.headers["location"].startswith("http://169.254.169.254/")


async def test_a_whole_answer_to_a_stream_request(ask: Asker) -> None:
    reply = await ask.post("echo: hi", model="fault-F29", stream=True)
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["choices"][0]["message"]["content"] == "hi"


async def test_speech_and_transcription_have_faults_too(http: httpx.AsyncClient) -> None:
    speech = {"model": "fault-F32-json", "input": "hello", "voice": "alloy"}
    reply = await http.post("/v1/audio/speech", json=speech)
    assert (reply.headers["content-type"], "error" in reply.json()) == ("audio/mpeg", True)
    files = {"file": ("a.mp3", b"x")}
    heard = await http.post("/v1/audio/transcriptions", files=files, data={"model": "fault-F33"})
    assert heard.json() == {"text": ""}
    large = await http.post("/v1/audio/transcriptions", files=files, data={"model": "fault-F33-large"})
    assert large.status_code == 413
    wrong = await http.post("/v1/audio/speech", json=speech | {"model": "fault-F15"})
    assert wrong.json()["error"]["message"] == "This practice fault is for chat."


async def test_a_slow_transcription_ends_when_the_client_leaves(
    server: DemoServer, http: httpx.AsyncClient
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        files = {"file": ("a.mp3", b"x")}
        data = {"model": "fault-F33-slow"}
        await http.post("/v1/audio/transcriptions", files=files, data=data, timeout=0.2)
    assert await server.requests[0].ended(2)


async def test_cookies_huge_headers_and_early_hints_come_with_a_good_answer(
    server: DemoServer, ask: Asker
) -> None:
    assert "demo-session=1" in (await ask.post("hello", model="fault-F34")).headers["set-cookie"]
    assert len(await wire(server, "fault-F34-headers")) > 100_000
    hints = await wire(server, "fault-F34-1xx")
    assert hints.count(b"HTTP/1.1 103") == 3
    assert b"HTTP/1.1 200" in hints and b"[DONE]" in hints
