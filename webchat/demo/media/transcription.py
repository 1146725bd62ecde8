"""How is `POST /v1/audio/transcriptions` answered? The demo knows again what it spoke itself, no more."""

import asyncio
import re
from dataclasses import dataclass

from webchat.demo.chat.catalogue import FAULT_PREFIX, TRANSCRIPTION_MODELS
from webchat.demo.fields import choice
from webchat.demo.media import encoding
from webchat.demo.media.multipart import Form, read_form
from webchat.demo.refusals import Refusal, invalid, unknown_model
from webchat.demo.script.language import language_of
from webchat.demo.wire import Exchange, Request

EXTENSIONS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
LARGEST_FILE = 25 * 1024 * 1024
LANGUAGE_NAMES = {"en": "english", "zh": "chinese"}


@dataclass(frozen=True)
class Recording:
    model: str
    filename: str
    content: bytes
    language: str
    prompt: str
    format: str


@dataclass(frozen=True)
class Segment:
    start: float
    end: float
    text: str


def read_recording(request: Request) -> Recording:
    form = read_form(request.headers.get("content-type", ""), request.body)
    model = form.fields.get("model", "")
    if not model:
        raise invalid("you must provide a model parameter", "model")
    if model not in TRANSCRIPTION_MODELS and not model.startswith(FAULT_PREFIX):
        raise unknown_model(model)
    language = form.fields.get("language", "")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise invalid("'language' must be an ISO 639-1 code of two letters.", "language")
    _check_temperature(form.fields.get("temperature", "0"))
    filename, content = _file(form)
    return Recording(
        model=model,
        filename=filename,
        content=content,
        language=language,
        prompt=form.fields.get("prompt", ""),
        format=choice(dict(form.fields), "response_format", FORMATS, "json"),
    )


async def answer(exchange: Exchange, recording: Recording) -> None:
    try:
        seconds = await asyncio.to_thread(encoding.seconds, recording.content)
    except encoding.NotAudioError:
        raise invalid("The audio file could not be decoded.", "file") from None
    text = exchange.memory.spoken(recording.content) or _what_was_heard(recording, seconds)
    segments = _segments(text, seconds)
    match recording.format:
        case "json":
            await exchange.reply_json(200, {"text": text})
        case "verbose_json":
            await exchange.reply_json(200, _verbose(recording, text, seconds, segments))
        case "text":
            await _reply_text(exchange, text + "\n", "text/plain")
        case "srt":
            await _reply_text(exchange, _srt(segments), "text/plain")
        case _:
            await _reply_text(exchange, _vtt(segments), "text/vtt")


def _check_temperature(written: str) -> None:
    try:
        is_valid = 0 <= float(written) <= 1
    except ValueError:
        is_valid = False
    if not is_valid:
        raise invalid("'temperature' must be a number from 0 to 1.", "temperature")


def _file(form: Form) -> tuple[str, bytes]:
    file = form.files.get("file")
    if file is None or not file.content:
        raise invalid("'file' must be an audio file that is not empty.", "file")
    if len(file.content) > LARGEST_FILE:
        raise too_large(len(file.content))
    if file.name.rpartition(".")[2].lower() not in EXTENSIONS:
        raise invalid(f"Invalid file format. Supported formats: {', '.join(EXTENSIONS)}", "file")
    return file.name, file.content


def too_large(size: int) -> Refusal:
    message = f"Maximum content size limit ({LARGEST_FILE}) exceeded ({size} bytes read)."
    return Refusal(413, message, kind="server_error")


def _what_was_heard(recording: Recording, seconds: float) -> str:
    chinese = recording.language == "zh" or language_of(recording.prompt) == "zh"
    if chinese:
        context = f"提示词是“{recording.prompt}”。" if recording.prompt else ""
        return f"这是演示的转写，没有真正的识别。我听到了 {seconds:.1f} 秒的录音。{context}"
    context = f" The prompt was “{recording.prompt}”." if recording.prompt else ""
    heard = f"I heard {seconds:.1f} seconds of audio."
    return f"This is the demo's transcript, without real recognition. {heard}{context}"


def _segments(text: str, seconds: float) -> list[Segment]:
    """One per sentence, each as long as its share of the characters."""
    sentences = [part for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", text) if part.strip()] or [text]
    letters = sum(map(len, sentences)) or 1
    segments: list[Segment] = []
    start = 0.0
    for sentence in sentences:
        end = start + seconds * len(sentence) / letters
        segments.append(Segment(start, end, sentence.strip()))
        start = end
    return segments


def _verbose(recording: Recording, text: str, seconds: float, segments: list[Segment]) -> dict[str, object]:
    language = recording.language or language_of(text)
    return {
        "task": "transcribe",
        "language": LANGUAGE_NAMES.get(language, language),
        "duration": round(seconds, 3),
        "text": text,
        "segments": [
            {"id": at, "start": round(one.start, 3), "end": round(one.end, 3), "text": one.text}
            for at, one in enumerate(segments)
        ],
    }


def _srt(segments: list[Segment]) -> str:
    blocks = [
        f"{at}\n{_clock(one.start, ',')} --> {_clock(one.end, ',')}\n{one.text}\n"
        for at, one in enumerate(segments, 1)
    ]
    return "\n".join(blocks)


def _vtt(segments: list[Segment]) -> str:
    blocks = [f"{_clock(one.start, '.')} --> {_clock(one.end, '.')}\n{one.text}\n" for one in segments]
    return "\n".join(["WEBVTT\n", *blocks])


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


async def _reply_text(exchange: Exchange, text: str, content_type: str) -> None:
    await exchange.reply(200, text.encode(), f"{content_type}; charset=utf-8")
