"""No credential reaches a log: not in the message, its arguments, a traceback, or a record of its own kind."""

import io
import logging
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from webchat.redaction import RedactSecrets, redact

SECRET = "sk-test-canary-2f9b61c07d"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger as the settings make one, and what it writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(RedactSecrets())
    logger = logging.Logger("tests.redaction")
    logger.addHandler(handler)
    yield logger, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {SECRET} refused", "key sk-te… refused"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer …"),
        ("authorization: bearer abcdef123456", "authorization: bearer …"),
        (f"{{'Authorization': 'Bearer {SECRET}'}}", "{'Authorization': 'Bearer …'}"),
        (f"b'Bearer {SECRET}\\r\\n'", "b'Bearer …'"),
        (f"two: {SECRET},{SECRET}", "two: sk-te…,sk-te…"),
        (f"https://x/?key={SECRET}&b=1", "https://x/?key=sk-te…&b=1"),
        ("sk-wc-AbCdEf0123456789_-x", "sk-wc…"),
        ("nothing: risk-free task-list, bearer of news", "nothing: risk-free task-list, bearer of news"),
    ],
)
def test_credentials_are_cut_and_the_rest_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_message_and_arguments(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, text = written
    logger.warning("%s with %r", SECRET, {"Authorization": f"Bearer {SECRET}"})
    logger.warning(f"100% {SECRET}")
    assert "canary" not in text.getvalue() and "sk-te… with" in text.getvalue() and "100%" in text.getvalue()


def test_tracebacks_with_their_causes(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, text = written
    try:
        try:
            raise ValueError(f"Illegal header value b'Bearer {SECRET}'")
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        logger.exception("failed")
    said = text.getvalue()
    assert "canary" not in said and "Illegal header value" in said and "RuntimeError: sk-te…" in said


def test_a_stack(written: tuple[logging.Logger, io.StringIO]) -> None:
    logger, text = written
    logger.warning("here", stack_info=True)
    assert "Stack (most recent call last)" in text.getvalue()


def test_a_record_that_is_wrong_itself_does_not_break_who_logs(
    written: tuple[logging.Logger, io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    logger, _text = written
    logger.warning("%d tokens", "many")
    logger.warning("%s %s", "one")


def test_the_settings_put_it_before_every_handler(settings: Settings) -> None:
    logging_settings = settings.LOGGING
    assert all("redact" in handler["filters"] for handler in logging_settings["handlers"].values())
    assert logging_settings["filters"]["redact"] == {"()": "webchat.redaction.RedactSecrets"}
