"""Does the demo refuse what the document says is refused?"""

from typing import Any

import httpx
import pytest

from tests.demo.conftest import Asker


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1.1}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"n": 6, "temperature": 0.7}, "n"),
        ({"n": 0}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": 2, "temperature": 0}, "n"),
        ({"n": 2, "temperature": 0.29}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stop": 5}, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": ["x"]}, "messages[0].role"),
    ],
)
async def test_bad_parameters_are_invalid_requests(ask: Asker, fields: dict[str, Any], param: str) -> None:
    error = await ask.error("hello", **fields)
    assert (error["status"], error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize("content", ["", "  \n", None, [], [{"type": "text", "text": ""}]])
async def test_content_must_not_be_empty(ask: Asker, content: Any) -> None:
    error = await ask.error(messages=[{"role": "user", "content": content}])
    assert (error["status"], error["message"]) == (400, "content 不得为空")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model": NaN}', b"\xff", b"[" * 100_000])
async def test_what_is_no_json_object_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    reply = await http.post("/v1/chat/completions", content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("model", ["gpt-9", "GPT-4", "fault-F99", "tts-1"])
async def test_an_unknown_model_is_not_found(ask: Asker, model: str) -> None:
    error = await ask.error("hello", model=model)
    assert (error["status"], error["code"]) == (404, "model_not_found")


async def test_prompt_and_answer_together_must_fit_the_context(ask: Asker) -> None:
    prompt = (await ask.post("hello")).json()["usage"]["prompt_tokens"]
    assert (await ask.post("hello", max_tokens=8192 - prompt)).status_code == 200
    error = await ask.error("hello", max_tokens=8192 - prompt + 1)
    assert (error["status"], error["type"]) == (400, "invalid_request_error")
    assert error["code"] == "context_length_exceeded"


async def test_a_prompt_alone_can_be_too_long(ask: Asker) -> None:
    error = await ask.error("word " * 9000)
    assert error["code"] == "context_length_exceeded"


async def test_only_the_vision_model_takes_images(ask: Asker) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    error = await ask.error(messages=[{"role": "user", "content": [part]}])
    assert "does not take images" in error["message"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x.png", "data:image/png;base64,§", "data:text/html;base64,AAAA", 5]
)
async def test_an_image_must_come_with_the_question(ask: Asker, url: Any) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    messages = [{"role": "user", "content": [part]}]
    error = await ask.error(model="gpt-4-vision-preview", messages=messages)
    assert error["status"] == 400


async def test_unknown_paths_and_methods_are_refused_in_the_same_shape(http: httpx.AsyncClient) -> None:
    unknown, wrong = await http.get("/v1/nothing"), await http.get("/v1/chat/completions")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
