"""The upstream's rows of the fault matrix: what is asked for, how it ends, what is kept and what is said."""

from dataclasses import dataclass

from webchat.demo.faults.practice import ILL_ENCODED_TEXT, MANY_SCRIPTS, ODD_SEPARATORS, PARTIAL_TEXT, TEXT

QUESTION = "Say this is a test!"
ORDINARY = "This is a test!"


@dataclass(frozen=True)
class Row:
    """One fault: the model's name without its prefix, and what has to come of it.

    `text` ends in … where only its beginning is certain; `calls` is how often the upstream is asked.
    """

    id: str
    state: str
    text: str = ""
    code: str = ""
    words: str = ""
    calls: int = 1

    @property
    def model(self) -> str:
        return f"fault-{self.id}"


def complete(name: str, text: str = ORDINARY, calls: int = 1) -> Row:
    return Row(name, "complete", text, calls=calls)


def failed(name: str, code: str, words: str, calls: int = 1) -> Row:
    return Row(name, "failed", "", code, words, calls)


def interrupted(name: str, code: str, words: str, text: str = PARTIAL_TEXT) -> Row:
    return Row(name, "interrupted", text, code, words)


ROWS = [
    failed("F01", "token_refused", "refused the API token. Ask an administrator"),
    failed("F02", "no_credit", "no credit left. Ask an administrator"),
    failed("F02-200", "no_credit", "no credit left. Ask an administrator"),
    failed("F02-403", "no_credit", "no credit left. Ask an administrator"),
    failed("F02-429", "no_credit", "no credit left. Ask an administrator"),
    failed("F02-stream", "no_credit", "no credit left. Ask an administrator"),
    failed("F03", "forbidden", "refused this request. Choose another model"),
    failed("F04", "model_not_found", "does not know the model “fault-F04”. Choose another one"),
    complete("F05", calls=2),
    failed("F05-forever", "request_timeout", "gave up waiting", calls=2),
    failed("F06", "context_too_long", "too long for the model “fault-F06”. Start a new one, shorten"),
    failed("F06-413", "context_too_long", "too long for the model “fault-F06-413”. Start a new one, shorten"),
    complete("F07", calls=2),
    complete("F07-quick", calls=2),
    failed("F07-long", "rate_limited", "takes no more requests for now. Wait until"),
    complete("F07-date", calls=2),
    complete("F07-garbage", calls=2),
    complete("F07-negative", calls=2),
    complete("F07-none", calls=2),
    failed("F07-forever", "rate_limited", "too many requests. Wait a minute and try again", calls=3),
    complete("F08", calls=3),
    failed("F08-500", "upstream_down", "a problem of its own (500). Try again", calls=3),
    failed("F08-502-html", "upstream_down", "a problem of its own (502). Try again", calls=3),
    failed("F08-503-empty", "upstream_down", "a problem of its own (503). Try again", calls=3),
    failed("F08-504", "upstream_down", "a problem of its own (504). Try again", calls=3),
    complete("F10", calls=2),
    failed("F10-forever", "connection_lost", "connection to the AI service was lost. Try again", calls=2),
    interrupted("F11", "connection_lost", "connection to the AI service was lost. Continue"),
    failed("F11-early", "connection_lost", "connection to the AI service was lost. Try again"),
    interrupted("F12", "cut_off", "cut off by the AI service. Continue it or try again"),
    complete("F12-finish", TEXT),
    interrupted("F13", "connection_lost", "connection to the AI service was lost. Continue"),
    interrupted("F14", "stalled", "stopped talking for 1.5 s. Continue"),
    failed("F14-first", "no_first_content", "said nothing for 2 s. Try again"),
    failed("F14-headers", "no_first_content", "said nothing for 2 s. Try again"),
    interrupted("F15", "stalled", "stopped talking for 1.5 s. Continue"),
    failed("F15-first", "no_first_content", "said nothing for 2 s. Try again"),
    interrupted("F16", "stalled", "stopped talking for 1.5 s. Continue"),
    interrupted(
        "F16@900ms", "took_too_long", "took longer than 0.2 min and was stopped. Continue", PARTIAL_TEXT + "…"
    ),
    interrupted("F16-bytes", "stalled", "stopped talking for 1.5 s. Continue"),
    complete("F17", TEXT),
    interrupted("F17-many", "malformed", "arrived damaged and was stopped"),
    complete("F18", MANY_SCRIPTS),
    interrupted("F18-cut", "cut_off", "cut off by the AI service. Continue it or try again", "Hello "),
    complete("F19", ILL_ENCODED_TEXT),
    complete("F20", ODD_SEPARATORS),
    interrupted("F21", "too_large", "larger than allowed and was stopped. Ask for a shorter one"),
    interrupted("F21-line", "too_large", "larger than allowed and was stopped. Ask for a shorter one"),
    interrupted("F21-event", "too_large", "larger than allowed and was stopped. Ask for a shorter one"),
    interrupted("F21-delta", "too_large", "larger than allowed and was stopped. Ask for a shorter one"),
    failed("F22", "compressed", "compressed answer, which is not accepted"),
    failed("F23", "redirected", "points to another address, which is not followed"),
    failed("F23-307", "redirected", "points to another address, which is not followed"),
    failed("F23-metadata", "redirected", "points to another address, which is not followed"),
    failed("F24", "upstream_down", "a problem of its own (500). Try again", calls=3),
    failed("F24-json", "upstream_down", "a problem of its own (500). Try again", calls=3),
    failed("F24-html", "not_an_answer", "sent something that is no answer. Try again"),
    failed("F24-204", "not_an_answer", "sent something that is no answer. Try again"),
    failed("F24-empty", "empty_answer", "sent an empty answer. Try again"),
    failed("F24-done", "empty_answer", "sent an empty answer. Try again"),
    interrupted("F25", "upstream_down", "a problem of its own (500)"),
    interrupted("F25-quota", "no_credit", "no credit left. Ask an administrator"),
    failed("F25-first", "upstream_down", "a problem of its own (500). Try again"),
    complete("F26", TEXT),
    complete("F26-choices", TEXT),
    complete("F26-top", TEXT),
    complete("F26-final", TEXT),
    complete("F26-missing", TEXT),
    complete("F26-negative", TEXT),
    complete("F26-strings", TEXT),
    complete("F27", TEXT),
    complete("F27-n2", TEXT),
    complete("F28", TEXT),
    complete("F28-open", TEXT),
    complete("F29"),
    complete("F31", TEXT),
    complete("F34"),
    complete("F34-headers"),
    complete("F34-1xx"),
]
# The others have tests of their own: they are large, or no chats.
ELSEWHERE = {"F21-answer", "F30", "F32", "F32-json", "F32-empty", "F32-wrong", "F33", "F33-slow", "F33-large"}

# What the demo upstream says or sends, and no reader and no log may ever see.
WORDS_OF_THE_UPSTREAM = [
    "Attention Required",
    "you have been blocked",
    "Incorrect API key",
    "exceeded your current quota",
    "does not exist",
    "Request timed out",
    "maximum context length",
    "Rate limit reached",
    "The server is overloaded",
    "had a hiccup",
    "insufficient_quota",
    "169.254.169.254",
    "/canary",
    "Not to be shown",
    "comes too late",
    "cmpl-",
    "demo-session",
]
