"""Which models are there, and how does each one differ on the wire?

Usage is reported in all the places where real upstreams put it, so that a client meets them all:

    choices   inside `choices[0]` of the last chunk, as the document shows
    both      the same, and again in a trailing chunk without choices when `include_usage` asks for it
    trailing  only in that trailing chunk, so only when asked for
    top       at the top level of the last chunk
    nowhere   never in a stream
"""

from dataclasses import dataclass
from typing import Any, Literal

CREATED = 1_698_999_575
SCRIPTED = "Demo: scripted answers, no real model"
SLOW = "demo-slow"
SLOW_PACE = 0.2
FAULT_PREFIX = "fault-"

UsagePlace = Literal["choices", "both", "trailing", "top", "nowhere"]


@dataclass(frozen=True)
class Model:
    id: str
    context: int = 32_768
    usage: UsagePlace = "choices"
    streams_as: str = ""  # the spelling in chunks, where it differs from the id
    answers_as: str = ""  # the spelling in a whole answer
    id_prefix: str = "cmpl-"
    sees: bool = False
    pace: float | None = None


CHAT_MODELS = (
    Model("gpt-3.5-turbo", 16_385, streams_as="gpt3.5", answers_as="gpt-3.5-turbo-0613"),
    Model("gpt-4", 8_192, "both", answers_as="gpt-4-0613"),
    Model("gpt-4-1106-preview", 128_000, "both", id_prefix="chatcmpl-"),
    Model("gpt-4-all", 128_000),
    Model("gpt-4-vision-preview", 128_000, "both", id_prefix="chatcmpl-", sees=True),
    Model("bing", 8_192),
    Model("claude-2.1", 200_000, "trailing", streams_as="claude-2.1-demo", id_prefix="chatcmpl-"),
    Model("gemini-pro", 32_768, "top", id_prefix="chatcmpl-"),
    Model("chatglm_pro", 32_768, streams_as="chatglm-pro"),
    Model("SparkDesk", 8_192, streams_as="sparkdesk-v3"),
    Model("qwen-plus", 32_768, "trailing", id_prefix="chatcmpl-"),
    Model("ERNIE-Bot-4", 8_192, "nowhere", streams_as="ernie-bot-4"),
)
SPEECH_MODELS = ("tts-1", "tts-1-hd")
TRANSCRIPTION_MODELS = ("whisper-1",)
IMAGE_MODELS = ("dall-e-3",)

_ALSO = (Model(SLOW, 128_000, pace=SLOW_PACE),)
_BY_ID = {model.id: model for model in (*CHAT_MODELS, *_ALSO)}


def find(model: str) -> Model | None:
    """A chat model; every practice fault is one too. Ids are case-sensitive."""
    if model.startswith(FAULT_PREFIX):
        return Model(model)
    return _BY_ID.get(model)


def entries() -> list[dict[str, Any]]:
    """The document's models first, in its order."""
    chat = [entry(model.id, SCRIPTED) for model in CHAT_MODELS]
    speech = [entry(model, "Demo: speech by espeak-ng") for model in SPEECH_MODELS]
    hearing = [entry(model, "Demo: no real recognition") for model in TRANSCRIPTION_MODELS]
    images = [entry(model, "Demo: drawn by a script") for model in IMAGE_MODELS]
    slow = entry(SLOW, SCRIPTED, description="Takes about a minute to answer, to try stopping and resuming.")
    return [*chat, *speech, *hearing, *images, slow]


def entry(model: str, owner: str, **more: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": CREATED, "owned_by": owner, **more}
