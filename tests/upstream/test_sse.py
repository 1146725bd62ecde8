from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat.upstream.errors import TooLarge
from webchat.upstream.sse import SSEReader

SAMPLE = (
    '\ufeffdata: {"a":1}\n\n'
    ": ping\r\n\r\n"
    "event: message\rid: 7\rretry: 10\rdata:no space\r\r"
    "data: two\r\ndata: lines\r\n\r\n"
    "data:\n\n"
    "data\ndata: after empty\n\n"
    "data: 你好\u2028🙂\u0085\x0c end\n\n"
    "data:  two spaces\n\n"
    "data: [DONE]\n\n"
    "data: last, without a blank line"
).encode()
EXPECTED = [
    '{"a":1}',
    "no space",
    "two\nlines",
    "\nafter empty",
    "你好\u2028🙂\u0085\x0c end",
    " two spaces",
    "[DONE]",
    "last, without a blank line",
]


def read(*parts: bytes) -> list[str]:
    reader = SSEReader()
    return [payload for part in parts for payload in reader.feed(part)] + reader.close()


def test_every_form_of_line_and_field():
    assert read(SAMPLE) == EXPECTED


def test_any_cut_in_two_reads_the_same():
    for cut in range(len(SAMPLE) + 1):
        assert read(SAMPLE[:cut], SAMPLE[cut:]) == EXPECTED, cut


def test_byte_by_byte_reads_the_same():
    assert read(*(SAMPLE[i : i + 1] for i in range(len(SAMPLE)))) == EXPECTED


LINES = st.lists(
    st.sampled_from(["data: x", "data:y", "data", ": c", "", "id: 1", "data: é你\u2028", "\ufeffdata: b"])
)


@given(LINES, st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=1), st.lists(st.integers(0, 200)))
def test_any_cuts_of_any_lines_read_as_the_whole(lines, ends, cuts):
    stream = "".join(line + ends[i % len(ends)] for i, line in enumerate(lines)).encode()
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read(*(stream[a:b] for a, b in pairwise(borders))) == read(stream)


def test_invalid_utf_8_becomes_a_replacement_character():
    assert read(b"data: a\xff\xfeb\n\n") == ["a\ufffd\ufffdb"]
    assert read(b"data: cut \xe4\xbd") == ["cut \ufffd"]


def test_a_line_without_end_is_refused():
    reader = SSEReader(max_line=1000)
    with pytest.raises(TooLarge):
        for _ in range(2000):
            reader.feed(b"x")


def test_an_event_of_many_lines_is_refused():
    reader = SSEReader(max_line=100, max_event=1000)
    with pytest.raises(TooLarge):
        for _ in range(20):
            reader.feed(b"data: " + b"x" * 90 + b"\n")


def test_what_came_before_the_long_line_is_still_given():
    reader = SSEReader(max_line=100)
    assert reader.feed(b"data: good\n\ndata: " + b"x" * 200) == ["good"]
    with pytest.raises(TooLarge):
        reader.feed(b"x")
    with pytest.raises(TooLarge):
        reader.close()
