"""Which practice faults are there? One line for each, by the numbers of the fault matrix.

A fault is chosen by the model's name, as in `fault-F07-long`. F09 (nobody listens) has no model: point the
base URL to a closed port or to `http://portal.invalid`. F31 (many streams) is a matter of how many ask.
Faults that pass fail first and then succeed when the same question is asked again; then they begin anew.
A beat of one's own, as in `fault-F15@20ms`, sets the pause of those that go on for ever.
"""

from dataclasses import dataclass
from typing import Any

from webchat.demo.chat.catalogue import FAULT_PREFIX, entry
from webchat.demo.faults import chunks as chunk
from webchat.demo.faults import replies as reply
from webchat.demo.faults import streams as stream
from webchat.demo.faults.chunks import for_streams_only, usage_at
from webchat.demo.faults.replies import Play, first, json_reply, other_reply, rate_limited
from webchat.demo.refusals import error, unknown_model

OWNER = "Demo: practice faults"

_NO_CREDIT = reply.NO_CREDIT_ERROR
_HTML = "text/html; charset=utf-8"
_OVERLOADED = error("The server is overloaded.", kind="server_error")
_UNKNOWN = error("The model `fault-F04` does not exist.", param="model", code="model_not_found")
_TOO_LONG = error("This model's maximum context length is 8192 tokens.", code="context_length_exceeded")
_TIMEOUT = error("Request timed out.", kind="timeout")
_STRINGS = {"prompt_tokens": "12", "completion_tokens": "many", "total_tokens": None}
_NEGATIVE = {"prompt_tokens": -5, "completion_tokens": -100, "total_tokens": -105}


@dataclass(frozen=True)
class Fault:
    about: str
    play: Play


FAULTS = {
    "F01": Fault("401, and the message quotes the token", reply.token_refused),
    "F02": Fault("402 insufficient_quota", json_reply(402, _NO_CREDIT)),
    "F02-200": Fault("insufficient_quota with status 200", json_reply(200, _NO_CREDIT)),
    "F02-403": Fault("insufficient_quota with status 403", json_reply(403, _NO_CREDIT)),
    "F02-429": Fault("insufficient_quota with status 429", json_reply(429, _NO_CREDIT)),
    "F02-stream": Fault("insufficient_quota inside a stream", reply.quota_in_stream),
    "F03": Fault("403 with a CDN's HTML page", other_reply(403, reply.CDN_PAGE, _HTML)),
    "F04": Fault("404 model_not_found", json_reply(404, _UNKNOWN)),
    "F05": Fault("408 once, then success", first(1, json_reply(408, _TIMEOUT))),
    "F05-forever": Fault("408 every time", json_reply(408, _TIMEOUT)),
    "F06": Fault("400 context_length_exceeded", json_reply(400, _TOO_LONG)),
    "F06-413": Fault("413 with a proxy's HTML page", other_reply(413, reply.CDN_PAGE, _HTML)),
    "F07": Fault("429 with Retry-After: 3 once, then success", first(1, rate_limited("3"))),
    "F07-quick": Fault("429 with Retry-After: 0 once, then success", first(1, rate_limited("0"))),
    "F07-long": Fault("429 with Retry-After: 3600", rate_limited("3600")),
    "F07-date": Fault("429 with a date in 3 s once, then success", first(1, reply.rate_limited_until_date)),
    "F07-garbage": Fault("429 with Retry-After: soon once, then success", first(1, rate_limited("soon"))),
    "F07-negative": Fault("429 with Retry-After: -5 once, then success", first(1, rate_limited("-5"))),
    "F07-none": Fault("429 without Retry-After once, then success", first(1, rate_limited(None))),
    "F07-forever": Fault("429 with Retry-After: 0 every time", rate_limited("0")),
    "F08": Fault("503 twice, then success", first(2, json_reply(503, _OVERLOADED))),
    "F08-500": Fault("500 with JSON every time", json_reply(500, _OVERLOADED)),
    "F08-502-html": Fault("502 with HTML every time", other_reply(502, reply.CDN_PAGE, _HTML)),
    "F08-503-empty": Fault("503 with nothing every time", other_reply(503, b"", "text/plain")),
    "F08-504": Fault("504 with HTML every time", other_reply(504, reply.CDN_PAGE, _HTML)),
    "F10": Fault("connection reset before headers once, then success", first(1, reply.reset)),
    "F10-forever": Fault("connection reset before headers every time", reply.reset),
    "F11": Fault("connection reset after 20 chunks", stream.reset_midway),
    "F11-early": Fault("connection reset before the first content", stream.reset_early),
    "F12": Fault("closed after 20 chunks, as if complete", stream.close_midway),
    "F12-finish": Fault("finish_reason, then closed without [DONE]", stream.close_after_finish),
    "F13": Fault("chunked body ends early", stream.close_inside_chunk),
    "F14": Fault("silence after 20 chunks", stream.stall),
    "F14-first": Fault("headers, then silence", stream.stall_before_content),
    "F14-headers": Fault("silence from the start", stream.stall_before_headers),
    "F15": Fault("only comments after 20 chunks", stream.comments_forever),
    "F15-first": Fault("only comments", stream.comments_only),
    "F16": Fault("a character every 4 s after 20 chunks", stream.drip),
    "F16-bytes": Fault("a byte on the wire every 4 s after 20 chunks", stream.drip_bytes),
    "F17": Fault("one malformed chunk in the middle", for_streams_only(chunk.malformed(1))),
    "F17-many": Fault("eight malformed chunks in the middle", for_streams_only(chunk.malformed(8))),
    "F18": Fault("many scripts, a byte at a time", for_streams_only(chunk.bytewise)),
    "F18-cut": Fault("ends inside a character", for_streams_only(stream.cut_inside_character)),
    "F19": Fault("invalid UTF-8, wrong charset, byte order mark", for_streams_only(chunk.ill_encoded)),
    "F20": Fault("U+2028, U+0085 and \\x0c in the text", for_streams_only(chunk.odd_separators)),
    "F21": Fault("a line of 200 MB", chunk.endless_line),
    "F21-line": Fault("a line of 200 MB", chunk.endless_line),
    "F21-event": Fault("an event of 200 MB", chunk.endless_event),
    "F21-delta": Fault("a delta of 10 MB", for_streams_only(chunk.huge_delta)),
    "F21-answer": Fault("an answer of 200 MB", chunk.endless_answer),
    "F22": Fault("a gzip bomb, 1 MB for 1 GB", reply.bomb),
    "F23": Fault("302 to /canary on this server", reply.redirect(302, "http://{host}/canary")),
    "F23-307": Fault("307 to /canary on this server", reply.redirect(307, "/canary")),
    "F23-metadata": Fault(
        "302 to 169.254.169.254", reply.redirect(302, "http://169.254.169.254/latest/meta-data/")
    ),
    "F24": Fault("200 with a JSON error", json_reply(200, chunk.STREAM_ERROR)),
    "F24-json": Fault("200 with a JSON error", json_reply(200, chunk.STREAM_ERROR)),
    "F24-html": Fault("200 with HTML", other_reply(200, reply.CDN_PAGE, _HTML)),
    "F24-204": Fault("204", reply.no_content),
    "F24-empty": Fault("200 with an empty stream", reply.empty_stream),
    "F24-done": Fault("200 with nothing but [DONE]", reply.only_done),
    "F25": Fault("an error after 20 chunks, then [DONE]", chunk.error_midway(chunk.STREAM_ERROR)),
    "F25-quota": Fault("insufficient_quota after 20 chunks", chunk.error_midway(_NO_CREDIT)),
    "F25-first": Fault("an error as the first event", for_streams_only(chunk.error_first)),
    "F26": Fault("usage inside choices", for_streams_only(usage_at("choices"))),
    "F26-choices": Fault("usage inside choices", for_streams_only(usage_at("choices"))),
    "F26-top": Fault("usage at the top level", for_streams_only(usage_at("top"))),
    "F26-final": Fault("usage in a final chunk without choices", for_streams_only(usage_at("final"))),
    "F26-missing": Fault("no usage", for_streams_only(usage_at("nowhere"))),
    "F26-negative": Fault("negative usage", for_streams_only(usage_at("choices", _NEGATIVE))),
    "F26-strings": Fault("usage in strings", for_streams_only(usage_at("choices", _STRINGS))),
    "F27": Fault("empty, null and unexpected parts in chunks", for_streams_only(chunk.odd_chunks)),
    "F27-n2": Fault("two answers interleaved", for_streams_only(chunk.two_indexes)),
    "F28": Fault("data after [DONE], and a second [DONE]", for_streams_only(chunk.after_done)),
    "F28-open": Fault("stays open after [DONE]", for_streams_only(chunk.open_after_done)),
    "F29": Fault("a whole answer to a stream request", reply.whole_instead_of_stream),
    "F30": Fault("5,000 chunks a second for two seconds", for_streams_only(chunk.fast)),
    "F31": Fault(
        "a slow, ordinary answer, to ask for many times at once", for_streams_only(chunk.slow_but_sound)
    ),
    "F32": Fault("speech: a JSON error as audio", reply.json_as_audio),
    "F32-json": Fault("speech: a JSON error as audio", reply.json_as_audio),
    "F32-empty": Fault("speech: no bytes", other_reply(200, b"", "audio/mpeg")),
    "F32-wrong": Fault("speech: HTML as audio", reply.wrong_audio),
    "F33": Fault("transcription: an empty text", json_reply(200, {"text": ""})),
    "F33-slow": Fault("transcription: takes 300 s", reply.transcribe_slowly),
    "F33-large": Fault("transcription: 413, more than 25 MB", reply.too_large),
    "F34": Fault("sets a cookie", reply.set_cookie),
    "F34-headers": Fault("100 KB of headers", reply.huge_headers),
    "F34-1xx": Fault("three 103 before the answer", reply.informational),
}


def named(model: str) -> Fault | None:
    """The fault that a model stands for; None for a model that does its work."""
    if not model.startswith(FAULT_PREFIX):
        return None
    fault = FAULTS.get(model.removeprefix(FAULT_PREFIX))
    if fault is None:
        raise unknown_model(model)
    return fault


def entries() -> list[dict[str, Any]]:
    return [entry(FAULT_PREFIX + name, OWNER, description=fault.about) for name, fault in FAULTS.items()]
