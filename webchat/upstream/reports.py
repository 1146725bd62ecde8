"""What does an error of the upstream mean?

Statuses, error objects in a body of any status and error objects inside a stream go through `classify`, so
that the same trouble has the same name wherever it shows up.
"""

import re
from typing import Any

import msgspec

from . import errors
from .wire import read_object, read_text

MAX_BODY = 64 * 1024

_NO_CREDIT_CODES = {
    "insufficient_quota",
    "insufficient_user_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
    "pre_consume_token_quota_failed",
}
_NO_CREDIT = re.compile(
    r"insufficient[_ ](?:user[_ ])?(?:quota|balance|credit)|exceeded your current quota"
    r"|余额不足|额度不足|额度已用尽",
    re.I,
)
_TOO_LONG = re.compile(
    r"context[_ ]length|context window|maximum context|prompt is too long|上下文.{0,6}(?:超|过长)", re.I
)
_STATUS_OF = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_denied": 403,
    "permission_error": 403,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "server_error": 500,
    "api_error": 500,
    "internal_error": 500,
    "service_unavailable": 503,
    "overloaded_error": 503,
    "invalid_request_error": 400,
}
_PLAIN = re.compile(r"[^<>{}\x00-\x1f\x7f]{1,200}")
_KEY_LIKE = re.compile(r"(?:\bsk-|\bbearer\s+)\S+|(?=\S*\d)[A-Za-z0-9+/_=*-]{20,}", re.I)


class Report(msgspec.Struct, frozen=True):
    """The upstream's own words. Only `reason` may reach a reader, and only for an invalid request."""

    code: str = ""
    type: str = ""
    param: str = ""
    message: str = ""


def read_report(value: dict[str, Any] | None) -> Report | None:
    """The error that this object reports, in OpenAI's shape or a plainer one; None if it reports none."""
    error = value.get("error") if value else None
    if isinstance(error, str) and error:
        return Report(message=read_text(error))
    if not isinstance(error, dict) or not error:
        return None
    code = error.get("code")
    return Report(
        code=str(code) if type(code) is int else read_text(code),
        type=read_text(error.get("type")),
        param=read_text(error.get("param")),
        message=read_text(error.get("message")),
    )


def read_refusal(body: bytes) -> Report | None:
    """As read_report, for a reply that is a refusal by its status: there, a bare message will do."""
    value = read_object(body)
    report = read_report(value)
    if report is None and value:
        report = Report(message=read_text(value.get("message")) or read_text(value.get("detail")))
    return report


def classify(status: int, report: Report | None, *, model: str, secret: str) -> errors.UpstreamError:
    """The error for a status; 200 for a report inside an answer."""
    known = report or Report()
    status = status if status >= 300 else _status_of(known)
    name = model[:100]
    if status == 402 or {known.code, known.type} & _NO_CREDIT_CODES or _NO_CREDIT.search(known.message):
        return errors.NoCredit()
    if status == 413 or _is_too_long(status, known):
        return errors.ContextTooLong(model=name)
    if status == 404:
        about_model = known.code == "model_not_found" or "model" in known.message or "模型" in known.message
        return errors.ModelNotFound(model=name) if about_model else errors.WrongAddress()
    if status >= 500:
        return errors.UpstreamDown(status=status)
    if status in (400, 409, 415, 422):
        reason = _plain_reason(known.message, secret)
        return errors.InvalidRequest(**({"reason": reason} if reason else {}))
    return _SIMPLE.get(status, errors.Redirected if 300 <= status < 400 else errors.UpstreamReported)()


_SIMPLE: dict[int, type[errors.UpstreamError]] = {
    401: errors.TokenRefused,
    403: errors.Forbidden,
    405: errors.WrongAddress,
    408: errors.RequestTimeout,
    429: errors.RateLimited,
}


def _status_of(report: Report) -> int:
    if re.fullmatch(r"[45]\d\d", report.code):
        return int(report.code)
    return _STATUS_OF.get(report.code) or _STATUS_OF.get(report.type) or 200


def _is_too_long(status: int, report: Report) -> bool:
    if report.code in ("context_length_exceeded", "string_above_max_length"):
        return True
    return status in (200, 400, 422) and _TOO_LONG.search(report.message) is not None


def _plain_reason(message: str, secret: str) -> str:
    """The upstream's words if they are short and plain, without what could be a secret; else nothing."""
    text = " ".join(message.split())
    if not _PLAIN.fullmatch(text) or (secret and secret in text):
        return ""
    return _KEY_LIKE.sub("…", text)
