"""Whatever the upstream does, an answer ends in time, keeps its text and says what happened and what to do."""

import pytest

from tests.conftest import SECRET
from tests.faults.conftest import Run
from tests.faults.rows import ELSEWHERE, ORDINARY, QUESTION, ROWS, WORDS_OF_THE_UPSTREAM, Row
from webchat.allocation.models import UsageRecord
from webchat.demo.chat import counting
from webchat.demo.faults.catalogue import FAULTS
from webchat.demo.faults.practice import PIECES, TEXT
from webchat.upstream import tokens
from webchat.upstream.errors import describe
from webchat.upstream.wire import Message as ChatMessage

pytestmark = pytest.mark.django_db
each_fault = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


def test_every_fault_that_the_demo_knows_is_tried() -> None:
    assert {row.id.partition("@")[0] for row in ROWS} | ELSEWHERE == set(FAULTS)


@each_fault
def test_the_answer_ends_and_keeps_its_text(run: Run, row: Row) -> None:
    answer = run.outcomes[row.id].answer
    assert (answer.state, answer.error_code) == (row.state, row.code)
    if row.text.endswith("…"):
        assert answer.text.startswith(row.text[:-1])
        assert TEXT.startswith(answer.text) and len(answer.text) > len(row.text[:-1])
    else:
        assert answer.text == row.text


@each_fault
def test_the_page_shows_the_text_and_says_what_happened_and_what_to_do(run: Run, row: Row) -> None:
    answer, shown = run.outcomes[row.id].answer, run.outcomes[row.id].shown
    assert shown.body == " ".join(answer.text.split())
    assert row.words in shown.sentence
    assert bool(shown.sentence) == (row.state != "complete")
    offered = {"complete": [], "failed": ["Try again"], "interrupted": ["Continue", "Try again"]}
    assert shown.verbs == offered[row.state]
    if "Continue" not in shown.verbs:
        assert "ontinue" not in shown.sentence


@each_fault
def test_the_page_shows_nothing_of_the_upstreams_own(run: Run, row: Row) -> None:
    shown = run.outcomes[row.id].shown
    assert SECRET not in shown.html and "127.0.0.1" not in shown.html
    assert not [words for words in WORDS_OF_THE_UPSTREAM if words in shown.html]
    assert not set("<>{}") & set(shown.sentence)


@each_fault
def test_the_call_is_settled_once_and_an_estimate_is_labelled(run: Run, row: Row) -> None:
    facts, (usage,) = run.outcomes[row.id].shown.facts, run.outcomes[row.id].usage
    assert usage.outcome == row.state and usage.settled_at
    assert usage.error_code == row.code
    assert min(usage.prompt_tokens, usage.completion_tokens) >= 0
    if row.state == "failed":
        assert usage.total_tokens == 0 and "token" not in facts
    else:
        assert usage.prompt_tokens and usage.completion_tokens
        assert f"{usage.total_tokens} tokens" in facts
        assert ("about" in facts) == (usage.origin == "estimated")


@each_fault
def test_the_upstream_is_asked_again_only_where_it_helps(run: Run, row: Row) -> None:
    assert run.calls[row.model] == row.calls


@each_fault
def test_the_next_question_is_answered(run: Run, row: Row) -> None:
    answer, following = run.outcomes[row.id].answer, run.outcomes[row.id].next_answer
    assert following.pk != answer.pk
    assert (following.state, following.text) == ("complete", ORDINARY)


@pytest.mark.parametrize("code", ["connection_lost", "cut_off", "stalled", "took_too_long"])
def test_before_the_first_word_nobody_is_told_to_continue(code: str) -> None:
    assert "ontinue" in describe(code, {})
    assert "ontinue" not in describe(code, {}, has_text=False)


@pytest.mark.parametrize("place", ["F26", "F26-choices", "F26-top", "F26-final"])
def test_f26_usage_is_found_wherever_it_is(run: Run, place: str) -> None:
    (usage,) = run.outcomes[place].usage
    assert usage.origin == "reported"
    assert _numbers(usage) == (counting.prompt_tokens([QUESTION], 0), len(PIECES))


@pytest.mark.parametrize("nonsense", ["F26-missing", "F26-negative", "F26-strings"])
def test_f26_usage_that_is_none_is_estimated(run: Run, nonsense: str) -> None:
    (usage,) = run.outcomes[nonsense].usage
    assert usage.origin == "estimated"
    prompt = tokens.estimate_messages([ChatMessage("user", QUESTION)])
    assert _numbers(usage) == (prompt, tokens.estimate(TEXT))


def test_titles_are_settled_too(run: Run) -> None:
    assert {title.model for title in run.titles} == {row.model for row in ROWS if row.state == "complete"}
    for title in run.titles:
        assert title.outcome == "complete" and title.settled_at
        assert min(title.prompt_tokens, title.completion_tokens) > 0


def test_f23_no_redirect_is_followed(run: Run) -> None:
    assert run.canary_hits == 0


def test_f34_no_cookie_of_the_upstream_is_sent_back(run: Run) -> None:
    assert run.cookies == []


def test_the_log_has_neither_secrets_nor_words_of_the_upstream_nor_tracebacks(run: Run) -> None:
    assert "token_refused" in run.log
    assert not [words for words in [SECRET, *WORDS_OF_THE_UPSTREAM] if words in run.log]
    assert "ERROR" not in run.log and "Traceback" not in run.log


def _numbers(usage: UsageRecord) -> tuple[int, int]:
    return usage.prompt_tokens, usage.completion_tokens
