"""Does each practice fault do what its line in the catalogue says?"""

import asyncio
import json
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.demo.conftest import TOKEN, Asker, chunks_of, text_of
from webchat.demo import DemoServer, practice

HTML = "text/html; charset=utf-8"


def stream_body(model: str) -> dict[str, Any]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": "hello"}]}


async def received(http: httpx.AsyncClient, model: str) -> tuple[bytes, Exception | None]:
    """All bytes of a stream, and how it ended."""
    data = b""
    try:
        async with http.stream("POST", "/v1/chat/completions", json=stream_body(model)) as reply:
            async for block in reply.aiter_raw():
                data += block
    except httpx.TransportError as error:
        return data, error
    return data, None


async def start_of(http: httpx.AsyncClient, model: str, enough: bytes) -> bytes:
    """What arrives until enough did; then the client leaves."""
    data = b""
    async with http.stream("POST", "/v1/chat/completions", json=stream_body(model)) as reply:
        async for block in reply.aiter_raw():
            data += block
            if enough in data:
                break
    return data


async def wire(server: DemoServer, model: str) -> bytes:
    """The reply exactly as it is on the wire."""
    body = json.dumps(stream_body(model)).encode()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    data = await reader.read()
    writer.close()
    return data


def partial_text(data: bytes) -> str:
    whole_events = data[: data.rfind(b"\n\n") + 2].decode().replace(": keepalive\n\n", "")
    return text_of(chunks_of(whole_events))


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


async def test_an_error_instead_of_a_whole_answer(ask: Asker) -> None:
    reply = await ask.post("hello", model="fault-F25")
    assert (reply.status_code, reply.json()["error"]["code"]) == (200, "internal_error")


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


async def test_a_stream_that_ends_inside_a_character(http: httpx.AsyncClient) -> None:
    data, error = await received(http, "fault-F18-cut")
    assert error is None
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert data.endswith("你".encode() + "好".encode()[:1])


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


async def test_a_whole_answer_to_a_stream_request(ask: Asker) -> None:
    reply = await ask.post("echo: hi", model="fault-F29", stream=True)
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["choices"][0]["message"]["content"] == "hi"


async def test_five_thousand_chunks_a_second(ask: Asker) -> None:
    chunks = await ask.chunks("hello", model="fault-F30")
    assert len(chunks) == practice.FAST_CHUNKS + 2
    assert text_of(chunks) == practice.FAST_TEXT


async def test_many_streams_at_once(ask: Asker) -> None:
    answers = await asyncio.gather(*(ask.chunks("hello", model="fault-F31@1ms") for _ in range(20)))
    assert {text_of(chunks) for chunks in answers} == {practice.TEXT}


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
