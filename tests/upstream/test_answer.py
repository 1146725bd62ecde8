import json

import pytest

from tests.upstream.scripted import question, text_of
from webchat.upstream.answer import Answer
from webchat.upstream.errors import CutOff, EmptyAnswer, Malformed, NotAnAnswer, TooLarge
from webchat.upstream.wire import Delta, Finished, Started, Usage


def told(*chunks, n=1, max_text=10**6):
    """The answer and its events; a chunk is the choices, a whole object, or a payload."""
    answer = Answer(question(n), "sk-secret-1", max_text)
    return answer, [event for chunk in chunks for event in answer.read(payload_of(chunk))]


def payload_of(chunk):
    if isinstance(chunk, str):
        return chunk
    return json.dumps({"choices": chunk} if isinstance(chunk, list) else chunk)


def says(text, index=0, finish=None, **more):
    return {"index": index, "delta": {"content": text}, "finish_reason": finish, **more}


def counted(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def test_the_documents_stream():
    head = {"id": "cmpl-1", "model": "gpt3.5"}
    answer, events = told(
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]},
        {**head, "choices": [says("你好")]},
        {**head, "choices": [says("。")]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": counted(19, 13)}]},
        "[DONE]",
    )
    answer.check_end()
    assert events == [Started("gpt3.5", "cmpl-1"), Delta(0, "你好"), Delta(0, "。"), Finished(0, "stop")]
    assert answer.usage == Usage(19, 13, 32)


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": []},
        {"choices": None},
        {"choices": "x"},
        {"choices": [None, 1]},
        {},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {"content": None}}]},
        {"choices": [{"index": 0, "delta": {"content": 5}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"id": "x"}]}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]},
        {"choices": [{"index": -1, "delta": {"content": "nobody asked"}}]},
        {"choices": [{"index": 7, "delta": {"content": "nobody asked"}}]},
        {"choices": [{"index": True, "delta": {"content": "nobody asked"}}]},
        {"id": 5, "model": None, "choices": [], "usage": "none"},
    ],
)
def test_odd_chunks_are_passed_over(odd):
    answer, events = told([says("a")], odd, [says("b", finish="stop")])
    answer.check_end()
    assert text_of(events) == "ab"


def test_reasoning_and_tool_calls_are_signs_of_life_and_roles_are_not():
    assert told([{"delta": {"reasoning_content": "hm"}}])[0].signs_of_life == 1
    assert told([{"delta": {"tool_calls": [{}]}}])[0].signs_of_life == 1
    assert told([{"delta": {"role": "assistant", "content": ""}}])[0].signs_of_life == 0


def test_interleaved_answers_are_kept_apart():
    answer, events = told([says("a", 0), says("x", 1)], [says("y", 1, "stop")], [says("b", 0, "length")], n=2)
    answer.check_end()
    assert (text_of(events, 0), text_of(events, 1)) == ("ab", "xy")
    assert [event for event in events if isinstance(event, Finished)] == [
        Finished(1, "stop"),
        Finished(0, "length"),
    ]


def test_content_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert text_of(told([{"delta": {"content": parts}}])[1]) == "ab"


def test_text_that_no_database_takes_is_mended():
    assert text_of(told('{"choices":[{"delta":{"content":"a\\u0000b\\ud83d"}}]}')[1]) == "ab\ufffd"
    assert text_of(told('{"choices":[{"delta":{"content":"\\ud83d\\ude00\u2028"}}]}')[1]) == "😀\u2028"


NESTED = [says("", finish="stop", usage=counted(10, 5))]


@pytest.mark.parametrize(
    ("chunks", "usage"),
    [
        ([NESTED], Usage(10, 5, 15)),
        ([{"choices": [], "usage": counted(10, 5)}], Usage(10, 5, 15)),
        ([NESTED, {"choices": [], "usage": counted(10, 5)}], Usage(10, 5, 15)),
        ([NESTED, {"choices": [], "usage": counted(10, 9)}], Usage(10, 9, 19)),
        ([NESTED, {"choices": [], "usage": counted(0, 0)}], Usage(10, 5, 15)),
        ([{"choices": [], "usage": counted(10, i)} for i in range(1, 4)], Usage(10, 3, 13)),
        ([{"choices": [], "usage": counted(0, 0)}], Usage(0, 0, 0)),
        ([{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}], Usage(3, 4, 7)),
        ([{"choices": [], "usage": {**counted(3, 4), "total_tokens": 20}}], Usage(3, 4, 20)),
        ([{"choices": [], "usage": {**counted(3, 4), "total_tokens": "x"}}], Usage(3, 4, 7)),
        ([{"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 4}}], None),
        ([{"choices": [], "usage": {"prompt_tokens": "3", "completion_tokens": 4}}], None),
        ([{"choices": [], "usage": {"prompt_tokens": True, "completion_tokens": 4}}], None),
        ([{"choices": [], "usage": {"prompt_tokens": 10**30, "completion_tokens": 4}}], None),
        ([{"choices": [], "usage": []}], None),
        ([{"choices": []}], None),
    ],
)
def test_usage_is_found_wherever_it_is_and_never_added_twice(chunks, usage):
    assert told(*chunks)[0].usage == usage


def test_usage_of_several_answers_counts_the_prompt_once():
    chunks = [[says("", 0, "stop", usage=counted(10, 5))], [says("", 1, "stop", usage=counted(10, 7))]]
    assert told(*chunks, n=2)[0].usage == Usage(10, 12, 22)
    assert told(*chunks, {"choices": [], "usage": counted(10, 12)}, n=2)[0].usage == Usage(10, 12, 22)
    assert told(*chunks[:1], *chunks[:1], n=2)[0].usage == Usage(10, 5, 15)


def test_five_broken_chunks_are_skipped_and_six_are_too_many():
    _answer, events = told([says("a")], *["{bad"] * 5, [says("b")])
    assert text_of(events) == "ab"
    with pytest.raises(Malformed):
        told(*["{bad", "hello", "[]", "5", "null", '"x"'])


@pytest.mark.parametrize("done", ["[DONE]", " [DONE] "])
def test_nothing_counts_after_done(done):
    answer, events = told([says("a")], done, [says("b")], done)
    answer.check_end()
    assert text_of(events) == "a"


def test_an_end_without_done_and_without_reason_is_cut_off():
    with pytest.raises(CutOff):
        told([says("a")])[0].check_end()
    with pytest.raises(CutOff):
        told([says("a", 0, "stop"), says("b", 1)], n=2)[0].check_end()


def test_an_end_without_text_is_an_empty_answer_that_says_why():
    for chunks in ([], ["[DONE]"], [[says("", finish="stop")]], [[says(" \n", finish="stop")]]):
        with pytest.raises(EmptyAnswer):
            told(*chunks)[0].check_end()
    with pytest.raises(EmptyAnswer, match="content filter") as caught:
        told([says("", finish="content_filter")])[0].check_end()
    assert caught.value.params == {"reason": "content_filter"}


def test_an_answer_beyond_the_limit_keeps_what_fits():
    answer, events = Answer(question(), "sk-secret-1", 10), []
    with pytest.raises(TooLarge):
        for _ in range(5):
            events += answer.read(payload_of([says("你你")]))
    assert text_of(events) == "你你"


def test_a_whole_answer_gives_the_same_events():
    answer = Answer(question(), "sk-secret-1")
    message = {"index": 0, "message": {"role": "assistant", "content": "test!"}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "model": "gpt-0613", "choices": [message], "usage": counted(13, 5)}
    events = list(answer.read_whole(json.dumps(body).encode()))
    answer.check_end()
    assert events == [Started("gpt-0613", "chatcmpl-1"), Delta(0, "test!"), Finished(0, "stop")]
    assert answer.usage == Usage(13, 5, 18)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"{bad", b"<html>", b'{"choices": 1}'])
def test_a_body_that_is_no_answer(body):
    with pytest.raises(NotAnAnswer):
        list(Answer(question(), "sk-secret-1").read_whole(body))
