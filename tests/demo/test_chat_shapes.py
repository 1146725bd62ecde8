"""Does an answer have the document's shape, quirks and all?"""

import re
from typing import Any

import httpx
import pytest

from tests.demo.conftest import Asker
from tests.demo.reading import chunks_of, text_of

ASKED = {"include_usage": True}


async def test_a_whole_answer_is_the_documents_example(ask: Asker) -> None:
    document = (await ask.post("Say this is a test!", model="gpt-3.5-turbo", temperature=0.7)).json()
    assert document.pop("id").startswith("chatcmpl-")
    assert isinstance(document.pop("created"), int)
    assert document == {
        "object": "chat.completion",
        "model": "gpt-3.5-turbo-0613",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "This is a test!"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 13, "completion_tokens": 5, "total_tokens": 18},
        "system_fingerprint": None,
    }


async def test_a_streamed_answer_is_the_documents_example(ask: Asker) -> None:
    reply = await ask.post("Say this is a test!", model="gpt-3.5-turbo", stream=True)
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.text.endswith("\n\ndata: [DONE]\n\n")
    chunks = chunks_of(reply.text)
    assert {chunk["model"] for chunk in chunks} == {"gpt3.5"}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert re.fullmatch(r"cmpl-[0-9a-f]{32}", chunks[0]["id"])
    assert chunks[0]["choices"] == [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]
    usage = {"prompt_tokens": 13, "completion_tokens": 5, "total_tokens": 18}
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]
    assert text_of(chunks) == "This is a test!"


async def test_chunks_are_of_realistic_size(ask: Asker) -> None:
    chunks = await ask.chunks("a long answer, please")
    sizes = [len(chunk["choices"][0]["delta"].get("content", "")) for chunk in chunks[1:-1]]
    assert len(sizes) > 500
    assert min(sizes) > 0 and max(sizes) < 60


def usage_places(chunks: list[dict[str, Any]]) -> set[str]:
    places = set()
    for chunk in chunks:
        if any("usage" in choice for choice in chunk["choices"]):
            places.add("choices")
        if "usage" in chunk:
            places.add("top" if chunk["choices"] else "trailing")
    return places


@pytest.mark.parametrize(
    ("model", "unasked", "asked"),
    [
        ("gpt-3.5-turbo", {"choices"}, {"choices"}),
        ("gpt-4", {"choices"}, {"choices", "trailing"}),
        ("claude-2.1", set(), {"trailing"}),
        ("gemini-pro", {"top"}, {"top"}),
        ("ERNIE-Bot-4", set(), set()),
    ],
)
async def test_usage_comes_in_every_place_where_upstreams_put_it(
    ask: Asker, model: str, unasked: set[str], asked: set[str]
) -> None:
    assert usage_places(await ask.chunks("hello", model=model)) == unasked
    assert usage_places(await ask.chunks("hello", model=model, stream_options=ASKED)) == asked


async def test_several_answers_interleave_and_differ(ask: Asker) -> None:
    chunks = await ask.chunks("hello", n=5, temperature=0.7)
    order = [choice["index"] for chunk in chunks for choice in chunk["choices"]]
    assert order[5:10] == [0, 1, 2, 3, 4]
    assert len({text_of(chunks, index) for index in range(5)}) == 5
    finishes = [choice for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    assert [choice["index"] for choice in finishes] == [0, 1, 2, 3, 4]
    assert len({choice["usage"]["prompt_tokens"] for choice in finishes}) == 1


async def test_exact_answers_differ_too_when_several_are_asked_for(ask: Asker) -> None:
    reply = await ask.post("Say this is a test!", n=5, temperature=1)
    texts = [choice["message"]["content"] for choice in reply.json()["choices"]]
    assert texts[0] == "This is a test!"
    assert len(set(texts)) == 5


async def test_a_stream_says_what_the_whole_answer_says(ask: Asker) -> None:
    for temperature in (0, 0.7):
        chunks = await ask.chunks("show me a table", temperature=temperature)
        assert text_of(chunks) == await ask.answer("show me a table", temperature=temperature)


async def test_the_temperature_changes_the_answer_and_zero_does_not(ask: Asker) -> None:
    cold = {await ask.answer("hello", temperature=0) for _ in range(3)}
    warm = {await ask.answer("hello", temperature=at / 10) for at in range(3, 11)}
    assert len(cold) == 1
    assert len(warm) > 1


async def test_max_tokens_cuts_and_says_so(ask: Asker) -> None:
    choice = (await ask.post("count to 100", max_tokens=7)).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("1, 2, 3, 4", "length")
    chunks = await ask.chunks("count to 100", max_tokens=7)
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["choices"][0]["usage"]["completion_tokens"] == 7


async def test_an_answer_of_just_max_tokens_is_not_cut(ask: Asker) -> None:
    choice = (await ask.post("Say this is a test!", max_tokens=5)).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("This is a test!", "stop")


@pytest.mark.parametrize("stop", [", 4", ["never", ", 4"]])
async def test_stop_ends_the_answer_before_the_word(ask: Asker, stop: Any) -> None:
    choice = (await ask.post("count to 9", stop=stop)).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("1, 2, 3", "stop")


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
async def test_paths_work_with_and_without_v1(http: httpx.AsyncClient, path: str) -> None:
    body = {"model": "bing", "messages": [{"role": "user", "content": "hello"}]}
    assert (await http.post(path, json=body)).status_code == 200
