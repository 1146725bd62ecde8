"""What goes over the wire, and what do we make of what comes back?

Requests are exact. Replies are read tolerantly: what has the wrong type counts as missing, nothing raises.
"""

import json
from typing import Any, TypeGuard

import msgspec

_MAX_COUNT = 10**9  # a token count beyond this is no count


class Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]]


class ChatRequest(msgspec.Struct, kw_only=True):
    model: str
    messages: list[Message]
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    n: int = 1
    stop: list[str] | None = None
    stream: bool = True


class SpeechRequest(msgspec.Struct, kw_only=True):
    input: str
    model: str = "tts-1"
    voice: str = "alloy"
    response_format: str = "mp3"
    speed: float = 1.0


class TranscriptionRequest(msgspec.Struct, kw_only=True):
    content: bytes
    extension: str
    model: str = "whisper-1"
    language: str | None = None
    prompt: str | None = None
    response_format: str = "json"
    temperature: float | None = None


class ImageRequest(msgspec.Struct, kw_only=True):
    prompt: str
    model: str = "dall-e-3"
    n: int = 1
    size: str | None = None
    response_format: str | None = None


class Model(msgspec.Struct, frozen=True):
    id: str
    owned_by: str
    description: str


class Segment(msgspec.Struct, frozen=True):
    start: float
    end: float
    text: str


class Transcript(msgspec.Struct, frozen=True):
    """`text` is the transcript itself for json, verbose_json and text, the whole file for srt and vtt."""

    text: str
    language: str = ""
    duration: float | None = None
    segments: tuple[Segment, ...] = ()


class Image(msgspec.Struct, frozen=True):
    """Either the picture or where it is; an address is kept as data and never fetched."""

    b64_json: str
    url: str
    revised_prompt: str


class Usage(msgspec.Struct, frozen=True):
    """Reported by the upstream, once, at the end."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Queued(msgspec.Struct, frozen=True):
    """Too many calls are running; this one waits for its turn."""


class Retrying(msgspec.Struct, frozen=True):
    """Before a wait of `seconds`; only ever before Started."""

    error_code: str
    params: dict[str, str | int | float]
    seconds: float
    attempt: int


class Started(msgspec.Struct, frozen=True):
    """The first chunk, with the model that answers: often spelt otherwise than the one asked for."""

    model: str
    id: str


class Delta(msgspec.Struct, frozen=True):
    index: int
    text: str


class Finished(msgspec.Struct, frozen=True):
    index: int
    reason: str


Event = Queued | Retrying | Started | Delta | Finished | Usage


class Choice(msgspec.Struct, frozen=True):
    index: int
    text: str
    # Reasoning or a tool call: not shown, but a sign of life.
    busy: bool
    finish_reason: str
    usage: Usage | None


class Chunk(msgspec.Struct, frozen=True):
    """One event of a stream, or a whole answer: the same but for `delta` and `message`."""

    id: str
    model: str
    choices: list[Choice]
    usage: Usage | None


def request_body(request: ChatRequest | SpeechRequest | ImageRequest) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(request)
    return {name: value for name, value in fields.items() if value is not None}


def transcription_fields(request: TranscriptionRequest) -> dict[str, str]:
    wanted = ("model", "language", "prompt", "response_format", "temperature")
    return {name: str(value) for name in wanted if (value := getattr(request, name)) not in (None, "")}


def read_object(body: str | bytes) -> dict[str, Any] | None:
    """The JSON object that this is, or None."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        value = _read_sloppy(body)
    return value if isinstance(value, dict) else None


def read_chunk(value: dict[str, Any]) -> Chunk:
    choices = value.get("choices")
    return Chunk(
        id=read_text(value.get("id"))[:200],
        model=read_text(value.get("model"))[:200],
        choices=[_read_choice(position, item) for position, item in enumerate(_dicts(choices))],
        usage=_read_usage(value.get("usage")),
    )


def read_models(value: dict[str, Any]) -> list[Model] | None:
    if not isinstance(value.get("data"), list):
        return None
    found: dict[str, Model] = {}
    for item in _dicts(value["data"]):
        name = item.get("id")
        if isinstance(name, str) and name.isprintable() and 0 < len(name) <= 200:
            owner, description = read_text(item.get("owned_by")), read_text(item.get("description"))
            found.setdefault(name, Model(name, owner[:200], description[:500]))
    return list(found.values())


def read_transcript(value: dict[str, Any]) -> Transcript | None:
    if not isinstance(value.get("text"), str):
        return None
    return Transcript(
        text=read_text(value["text"]).strip(),
        language=read_text(value.get("language"))[:40],
        duration=_read_seconds(value.get("duration")),
        segments=tuple(_read_segments(value.get("segments"))),
    )


def read_images(value: dict[str, Any]) -> list[Image]:
    images = (
        Image(
            read_text(item.get("b64_json")), read_text(item.get("url")), read_text(item.get("revised_prompt"))
        )
        for item in _dicts(value.get("data"))
    )
    return [image for image in images if image.b64_json or image.url]


def read_text(value: object) -> str:
    """Text that every database and every browser takes: no NUL, no half of a surrogate pair."""
    if isinstance(value, list):  # content parts
        return "".join(read_text(part.get("text")) for part in _dicts(value))
    if not isinstance(value, str):
        return ""
    text = value.replace("\x00", "") if "\x00" in value else value
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _read_sloppy(body: str | bytes) -> object:
    # msgspec refuses halves of surrogate pairs and bytes that are no UTF-8; upstreams send both.
    text = body.decode("utf-8-sig", "replace") if isinstance(body, bytes) else body
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _read_choice(position: int, item: dict[str, Any]) -> Choice:
    index = item.get("index")
    said = item.get("delta")
    if not isinstance(said, dict):
        said = item.get("message")
    if not isinstance(said, dict):
        said = {}
    reasoning = said.get("reasoning_content") or said.get("reasoning")
    return Choice(
        index=position if index is None else index if _is_count(index) else -1,
        text=read_text(said.get("content")),
        busy=bool(reasoning or said.get("tool_calls") or said.get("function_call")),
        finish_reason=read_text(item.get("finish_reason"))[:40],
        usage=_read_usage(item.get("usage")),
    )


def _read_usage(value: object) -> Usage | None:
    if not isinstance(value, dict):
        return None
    prompt, completion, total = (
        value.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    if not (_is_count(prompt) and _is_count(completion)):
        return None
    # A total above the sum is real: some upstreams count reasoning only there.
    return Usage(prompt, completion, max(total if _is_count(total) else 0, prompt + completion))


def _read_segments(value: object) -> list[Segment]:
    segments = []
    for item in _dicts(value):
        start, end = _read_seconds(item.get("start")), _read_seconds(item.get("end"))
        if start is not None and end is not None:
            segments.append(Segment(start, end, read_text(item.get("text")).strip()))
    return segments


def _read_seconds(value: object) -> float | None:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else -1.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < 10**7 else None


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MAX_COUNT


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
