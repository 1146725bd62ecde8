"""What must never reach a log? Whatever looks like a credential, and every secret that was ever in our hands."""

import logging
import re

CREDENTIAL = re.compile(r"(sk-[A-Za-z0-9_-]{2})[A-Za-z0-9_\-]{6,}|((?i:bearer)\s+)[^\s'\"]{6,}")

_known: set[str] = set()


def remember(secret: str) -> None:
    """From now on no log of this process shows it, whatever it looks like."""
    _known.add(secret)


class RedactSecrets(logging.Filter):
    """Rewrites each record, its traceback included, with credentials cut to their first characters."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redact(record.exc_text or "") or None
        record.stack_info = redact(record.stack_info or "") or None
        record.msg, record.args = redact(_message(record)), ()
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A filter's errors, unlike a formatter's, would reach the code that logs.
        return f"{record.msg} {record.args!r}"


def redact(text: str) -> str:
    """The text with every credential shortened to something that still can be recognised by its owner."""
    for secret in _known:
        text = text.replace(secret, f"{secret[:5]}…")
    return CREDENTIAL.sub(lambda found: f"{found[1] or found[2]}…", text)
