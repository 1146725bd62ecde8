"""Whatever a page shows, the difference makes the thread of it."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.page import LETTERS, Page
from webchat.chat import frames
from webchat.chat.markdown import render
from webchat.chat.thread import Row, ShownMessage, Thread

STATES = list(LETTERS)
NUMBERS = st.integers(1, 12)
SHOWN = st.lists(st.tuples(NUMBERS, st.sampled_from(STATES)), max_size=8, unique_by=lambda one: one[0])


def message(number: int, state: str) -> ShownMessage:
    return ShownMessage(
        pk=UUID(int=number << 96 | number),
        role="user" if number % 2 else "assistant",
        state=state,
        text=f"text {number} {state}",
        html=render(f"text {number} {state}"),
        revision=9,
        model="gpt-4",
        answered_model="",
        finish_reason="",
        error_sentence="",
        receipt=[],
        can_continue=False,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        sibling_number=1,
        sibling_count=1,
        previous_sibling_id=None,
        next_sibling_id=None,
    )


def difference(shown: frames.Seen, thread: Thread) -> str:
    rows = [Row(one.pk, None, one.role, one.state) for one in thread.messages]
    found = {one.pk: one for one in thread.messages}
    return frames.thread_changed(frames.compare(shown, rows), found, thread.older_url)


def page_of(shown: list[tuple[int, str]]) -> Page:
    page = Page('<main><ol id="messages" class="messages"></ol></main>')
    page.apply(frames.thread_replaced(Thread([message(*one) for one in shown], "")))
    return page


def after(shown: list[tuple[int, str]], wanted: list[tuple[int, str]]) -> list[tuple[str | None, ...]]:
    page = page_of(shown)
    thread = Thread([message(*one) for one in wanted], "")
    if frame := difference(frames.read_seen(page.seen()), thread):
        page.apply(frame)
    assert (
        frames.read_seen(page.seen())[-len(wanted) :] == frames.seen(thread.messages)[-len(page.messages()) :]
    )
    return [(one.get("id"), one.get("data-state")) for one in page.messages()]


def outline(wanted: list[tuple[int, str]]) -> list[tuple[str | None, ...]]:
    return [(f"message-{message(*one).pk}", one[1]) for one in wanted]


@settings(max_examples=60, deadline=None)
@given(SHOWN, SHOWN)
def test_the_difference_gives_the_thread(shown: list[tuple[int, str]], wanted: list[tuple[int, str]]) -> None:
    above = [number for number, _state in shown]
    first = above.index(wanted[0][0]) if wanted and wanted[0][0] in above else len(shown)
    # What stands above the thread's first message may be older, and stays.
    older = outline(shown[:first]) if first < len(shown) else []
    assert after(shown, wanted) == older + outline(wanted)


@settings(max_examples=30, deadline=None)
@given(SHOWN)
def test_a_page_that_shows_the_thread_is_sent_only_what_grows(shown: list[tuple[int, str]]) -> None:
    thread = Thread([message(*one) for one in shown], "")
    frame = difference(frames.seen(thread.messages), thread)
    running = [one for one in thread.messages if one.is_running]
    assert frame.count("<li") == len(running)
    assert all(f'id="message-{one.pk}"' in frame for one in running)


def test_every_change_of_state_is_sent() -> None:
    for before in STATES:
        for now in STATES:
            assert after([(2, before)], [(2, now)]) == outline([(2, now)])


def test_a_list_that_cannot_be_read_brings_the_whole_thread() -> None:
    thread = Thread([message(2, "complete")], "")
    for shown in ("", ",", ".", "x", "….c,,,", "a" * 10_000, "message-2", "\x00.c"):
        assert 'id="messages"' in difference(frames.read_seen(shown), thread)
