"""What can go wrong between us and the AI service, and what do we tell the reader?

    UpstreamError                      code               what happened
    ├── TokenProblem                                      (the next token may work)
    │   ├── TokenRefused               token_refused      401
    │   ├── NoCredit                   no_credit          402, or insufficient_quota anywhere
    │   ├── Forbidden                  forbidden          403
    │   ├── RateLimited                rate_limited       429
    │   └── BadSecret                  bad_secret         the stored token can't be sent as a header
    ├── RequestProblem                                    (asked again unchanged, it fails again)
    │   ├── InvalidRequest             invalid_request    400, 422
    │   ├── ModelNotFound              model_not_found    404 that names the model
    │   ├── WrongAddress               wrong_address      any other 404, 405
    │   ├── ContextTooLong             context_too_long   413, context_length_exceeded
    │   └── AudioTooLarge              audio_too_large    413 to a recording
    ├── Unreachable                    unreachable        DNS, refused, TLS, connect timeout
    ├── RequestTimeout                 request_timeout    408
    ├── UpstreamDown                   upstream_down      5xx
    ├── Redirected                     redirected         3xx
    ├── QueueFull                      queue_full         too many calls of our own
    ├── NoFirstContent                 no_first_content   nothing said in time
    ├── Compressed                     compressed         Content-Encoding, though we asked for none
    ├── NotAnAnswer                    not_an_answer      HTML, 204, no HTTP
    ├── EmptyAnswer                    empty_answer       no text at all
    ├── NothingHeard                   nothing_heard      an empty transcript
    ├── BadAudio                       bad_audio          speech that is no sound of the format asked for
    ├── Malformed                      malformed          too many broken chunks
    ├── TooLarge                       too_large          line, event or answer beyond the limit
    ├── ConnectionLost                 connection_lost    reset, or the end of the body is missing
    ├── CutOff                         cut_off            ended without [DONE] and without finish_reason
    ├── Stalled                        stalled            no content for a while
    ├── TookTooLong                    took_too_long      the total deadline
    ├── UpstreamReported               upstream_error     an error object that says nothing we know
    └── UnknownProblem                 unknown            anything else

Codes and params are stored with the message; `describe` makes them a sentence in the reader's language. The
service's own text stays out, but for the reason of an invalid request (see reports.py).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def describe(code: str, params: Mapping[str, Any], *, has_text: bool = True) -> str:
    """In the active language: what happened and what to do. Without any text there is nothing to continue."""
    kind, known = _BY_CODE.get(code, UnknownProblem), _Forgiving(params)
    return kind.sentence_for(known) if has_text or not kind.without_text else str(kind.without_text) % known


class UpstreamError(Exception):
    code: ClassVar[str] = ""
    sentence: ClassVar[str | Promise] = ""
    without_text: ClassVar[str | Promise] = ""  # the sentence before any text has come, where it differs
    about_token: ClassVar[bool] = False
    retryable: ClassVar[bool] = True  # asked again unchanged, it may succeed
    retries: ClassVar[int] = 0  # how often the client asks again by itself

    def __init__(self, **params: str | int | float) -> None:
        super().__init__(self.code)
        self.params: dict[str, str | int | float] = params
        self.retry_after: float | None = None  # seconds that the service asked us to wait

    def __str__(self) -> str:
        return describe(self.code, self.params)

    @classmethod
    def sentence_for(cls, params: Mapping[str, Any]) -> str:
        return str(cls.sentence) % params


class TokenProblem(UpstreamError):
    about_token = True
    retryable = False


class TokenRefused(TokenProblem):
    code = "token_refused"
    sentence = _("The AI service refused the API token. Ask an administrator to replace it.")


class NoCredit(TokenProblem):
    code = "no_credit"
    sentence = _("The account at the AI service has no credit left. Ask an administrator to top it up.")


class Forbidden(TokenProblem):
    code = "forbidden"
    sentence = _(
        "The AI service refused this request. Choose another model, or ask an administrator whether the token"
        " may use this one."
    )


class RateLimited(TokenProblem):
    code = "rate_limited"
    sentence = _("The AI service is receiving too many requests. Wait a minute and try again.")
    with_seconds = _("The AI service is receiving too many requests. Try again in %(seconds)s s.")
    with_until = _("The AI service takes no more requests for now. Wait until %(until)s, then try again.")
    retryable = True
    retries = 2

    @classmethod
    def sentence_for(cls, params: Mapping[str, Any]) -> str:
        if "until" in params:
            return str(cls.with_until) % {"until": _local_time(str(params["until"]))}
        return str(cls.with_seconds if "seconds" in params else cls.sentence) % params


class BadSecret(TokenProblem):
    code = "bad_secret"
    sentence = _(
        "The stored API token has characters that no token has. Ask an administrator to enter it again."
    )


class RequestProblem(UpstreamError):
    retryable = False


class InvalidRequest(RequestProblem):
    code = "invalid_request"
    sentence = _("The AI service did not accept the request. Check the settings of this conversation.")
    with_reason = _("The AI service did not accept the request: %(reason)s")

    @classmethod
    def sentence_for(cls, params: Mapping[str, Any]) -> str:
        return str(cls.with_reason if params.get("reason") else cls.sentence) % params


class ModelNotFound(RequestProblem):
    code = "model_not_found"
    sentence = _("The AI service does not know the model “%(model)s”. Choose another one.")


class WrongAddress(RequestProblem):
    code = "wrong_address"
    sentence = _(
        "The AI service does not offer this at its address. Ask an administrator to check the address."
    )


class ContextTooLong(RequestProblem):
    code = "context_too_long"
    sentence = _(
        "The conversation is too long for the model “%(model)s”. Start a new one, shorten your message,"
        " or choose a model that reads more."
    )


class AudioTooLarge(RequestProblem):
    code = "audio_too_large"
    sentence = _("The recording is larger than the AI service accepts. Send a shorter one.")


class Unreachable(UpstreamError):
    code = "unreachable"
    sentence = _(
        "The AI service can't be reached. Try again in a moment; if it stays so, tell an administrator."
    )


class RequestTimeout(UpstreamError):
    code = "request_timeout"
    sentence = _("The AI service gave up waiting for the request. Try again.")
    retries = 1


class UpstreamDown(UpstreamError):
    code = "upstream_down"
    sentence = _("The AI service has a problem of its own (%(status)s). Try again in a moment.")
    retries = 2


class Redirected(UpstreamError):
    code = "redirected"
    sentence = _(
        "The AI service points to another address, which is not followed."
        " Ask an administrator to check the address."
    )
    retryable = False


class QueueFull(UpstreamError):
    code = "queue_full"
    sentence = _("Too many questions are being answered right now. Try again in a moment.")


class NoFirstContent(UpstreamError):
    code = "no_first_content"
    sentence = _("The AI service said nothing for %(seconds)s s. Try again, or choose another model.")


class Compressed(UpstreamError):
    code = "compressed"
    sentence = _("The AI service sent a compressed answer, which is not accepted. Tell an administrator.")
    retryable = False


class NotAnAnswer(UpstreamError):
    code = "not_an_answer"
    sentence = _(
        "The AI service sent something that is no answer. Try again; if it stays so, tell an administrator."
    )


class EmptyAnswer(UpstreamError):
    code = "empty_answer"
    sentence = _("The AI service sent an empty answer. Try again, or put the question differently.")
    filtered = _("The AI service's content filter withheld its answer. Put the question differently.")
    no_room = _("The limit on the answer's length left no room for an answer. Raise the limit and try again.")

    @classmethod
    def sentence_for(cls, params: Mapping[str, Any]) -> str:
        by_reason = {"content_filter": cls.filtered, "length": cls.no_room}
        return str(by_reason.get(str(params.get("reason")), cls.sentence))


class NothingHeard(UpstreamError):
    code = "nothing_heard"
    sentence = _("Nothing was understood in the recording. Listen to it, and try again.")


class BadAudio(UpstreamError):
    code = "bad_audio"
    sentence = _(
        "The AI service sent something that is no %(format)s sound. Try again, or choose another format."
    )


class Malformed(UpstreamError):
    code = "malformed"
    sentence = _("The answer arrived damaged and was stopped. Continue it or try again.")
    without_text = _("The answer arrived damaged. Try again.")


class TooLarge(UpstreamError):
    code = "too_large"
    sentence = _("The answer was larger than allowed and was stopped. Ask for a shorter one.")


class ConnectionLost(UpstreamError):
    code = "connection_lost"
    sentence = _("The connection to the AI service was lost. Continue the answer or try again.")
    without_text = _("The connection to the AI service was lost. Try again.")
    retries = 1


class CutOff(UpstreamError):
    code = "cut_off"
    sentence = _("The answer was cut off by the AI service. Continue it or try again.")
    without_text = _("The AI service ended its answer before the first word. Try again.")


class Stalled(UpstreamError):
    code = "stalled"
    sentence = _("The AI service stopped talking for %(seconds)s s. Continue the answer or try again.")
    without_text = _("The AI service fell silent for %(seconds)s s before its first word. Try again.")


class TookTooLong(UpstreamError):
    code = "took_too_long"
    sentence = _("The answer took longer than %(minutes)s min and was stopped. Continue it or ask for less.")
    without_text = _("No answer came within %(minutes)s min. Try again, or ask for less.")


class UpstreamReported(UpstreamError):
    code = "upstream_error"
    sentence = _("The AI service reported an error. Try again, or choose another model.")


class UnknownProblem(UpstreamError):
    code = "unknown"
    sentence = _("Something unexpected happened while talking to the AI service. Try again.")


class _Forgiving(dict[str, Any]):
    """A row written by an older version may lack a parameter; the sentence is still shown."""

    def __missing__(self, key: str) -> str:
        return "?"


def _local_time(iso: str) -> str:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def _leaves(kind: type[UpstreamError]) -> list[type[UpstreamError]]:
    return [leaf for child in kind.__subclasses__() for leaf in _leaves(child)] or [kind]


_BY_CODE = {kind.code: kind for kind in _leaves(UpstreamError)}
