"""What must never reach a log? Anything that looks like a credential."""

import logging
import re

CREDENTIAL = re.compile(r"(sk-[A-Za-z0-9_-]{2})[A-Za-z0-9_\-]{6,}|((?i:bearer)\s+)[^\s'\"]{6,}")


class RedactSecrets(logging.Filter):
    """Rewrites each record, its traceback included, with credentials cut to their first characters."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        record.msg, record.args = redact(message), ()
        return True


def redact(text: str) -> str:
    """The text with every credential shortened to something that still can be recognised by its owner."""
    return CREDENTIAL.sub(lambda found: f"{found[1] or found[2]}…", text)
