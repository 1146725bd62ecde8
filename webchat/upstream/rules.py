"""What does the API allow? Its rules as data, and the checks that the composer and the gateway share.

Each violation says in words what is wrong and what would be right, before anything is sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext_lazy as _

from .limits import Range as Range
from .limits import Violation as Violation
from .limits import check_choice, check_number, check_text, plain, violation

Kind = Literal["chat", "speech", "transcription", "image"]


@dataclass(frozen=True)
class AudioFormat:
    content_type: str
    extension: str
    first_bytes: re.Pattern[bytes]


ROLES = ("system", "user", "assistant")
TEMPERATURE = Range(0, 1, default=0.3)
TOP_P = Range(0, 1, default=1, above_low=True)
MAX_TOKENS = Range(1, 10**7, default=0, whole=True)
N = Range(1, 5, default=1, whole=True)
# Below this the document allows one answer only ("near 0"; the number is LiteLLM's).
NEAR_ZERO = 0.3
DEFAULT_CONTEXT_LENGTH = 8192


@dataclass(frozen=True)
class KnownModel:
    """What a model can do, and what it takes where that is less than the API allows."""

    id: str
    vendor: str = ""
    context_length: int = 0
    kind: Kind = "chat"
    vision: bool = False
    system_role: bool = True
    temperature: Range = TEMPERATURE
    max_tokens: Range = MAX_TOKENS
    n: Range = N
    near_zero: float = NEAR_ZERO


SPEECH_MODELS = ("tts-1", "tts-1-hd")
VOICES = ("alloy", "echo", "fable", "onyx", "nova", "shimmer")
SPEECH_FORMATS = {
    # MPEG frames begin with eleven set bits; two more tell the layers of mp3 from AAC, which has none.
    "mp3": AudioFormat("audio/mpeg", "mp3", re.compile(rb"ID3|\xff[\xe2-\xe7\xea-\xef\xf2-\xf7\xfa-\xff]")),
    "opus": AudioFormat("audio/ogg", "opus", re.compile(rb"OggS")),
    "aac": AudioFormat("audio/aac", "aac", re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ADIF")),
    "flac": AudioFormat("audio/flac", "flac", re.compile(rb"fLaC")),
}
SPEED = Range(0.25, 4, default=1)
SPEECH_CHARACTERS = 4096

TRANSCRIPTION_MODELS = ("whisper-1",)
TRANSCRIPTION_EXTENSIONS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
TRANSCRIPTION_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
TRANSCRIPTION_BYTES = 25 * 1024 * 1024
TRANSCRIPTION_TEMPERATURE = Range(0, 1, default=0)

IMAGE_MODELS = ("dall-e-3",)
IMAGE_SIZES = ("1024x1024", "1792x1024", "1024x1792")
IMAGE_CHARACTERS = 4000
IMAGE_N = Range(1, 10, default=1, whole=True)

# The document's own list, for when the upstream cannot be asked. Context lengths are placeholders.
MODELS = (
    KnownModel("gpt-3.5-turbo", "OpenAI", 16385),
    KnownModel("gpt-4", "OpenAI", 8192),
    KnownModel("gpt-4-1106-preview", "OpenAI", 128000),
    KnownModel("gpt-4-all", "OpenAI", 128000),
    KnownModel("gpt-4-vision-preview", "OpenAI", 128000, vision=True),
    KnownModel("bing", "Microsoft", 8192, system_role=False),
    KnownModel("claude-2.1", "Anthropic", 200000),
    KnownModel("gemini-pro", "Google", 32768, system_role=False),
    KnownModel("chatglm_pro", "Zhipu", 32768, system_role=False),
    KnownModel("SparkDesk", "iFlytek", 8192, system_role=False),
    KnownModel("qwen-plus", "Alibaba", 32768),
    KnownModel("ERNIE-Bot-4", "Baidu", 8192, system_role=False),
    KnownModel("tts-1", "OpenAI", 0, kind="speech"),
    KnownModel("tts-1-hd", "OpenAI", 0, kind="speech"),
    KnownModel("whisper-1", "OpenAI", 0, kind="transcription"),
    KnownModel("dall-e-3", "OpenAI", 0, kind="image"),
)
CATALOGUE = {model.id: model for model in MODELS}
_KIND_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("transcription", re.compile(r"whisper|.*-transcribe|.*-asr", re.I)),
    ("speech", re.compile(r"tts-|.*-tts\b|speech-", re.I)),
    (
        "image",
        re.compile(
            r"dall-e|gpt-image|stable-diffusion|sdxl|flux|midjourney|mj[-_]|cogview|wanx|imagen", re.I
        ),
    ),
)


def kind_of(model_id: str) -> Kind:
    """What a model is for, guessed from its name where it is not in the document."""
    if model_id in CATALOGUE:
        return CATALOGUE[model_id].kind
    return next((kind for kind, pattern in _KIND_PATTERNS if pattern.match(model_id)), "chat")


def known(model: object) -> KnownModel:
    """The document's word on it. What no document names may see pictures; if not, the upstream says so."""
    name = model if isinstance(model, str) else ""
    return CATALOGUE.get(name) or KnownModel(name, kind=kind_of(name), vision=True)


def check_chat(
    messages: object,
    model: object,
    temperature: object = None,
    top_p: object = None,
    max_tokens: object = None,
    n: object = None,
    prompt_tokens: int = 0,
    context_length: int = DEFAULT_CONTEXT_LENGTH,
    spec: KnownModel | None = None,
) -> list[Violation]:
    """Every rule that a chat request breaks, in the order of its fields. None stands for "not given".

    `spec` is what is known of the model, where somebody knows more than the document.
    """
    spec = spec or known(model)
    return [
        *_check_messages(messages, spec),
        *_check_model(model, "chat", spec),
        *check_number("temperature", temperature, spec.temperature),
        *check_number("top_p", top_p, TOP_P),
        *check_number("max_tokens", max_tokens, spec.max_tokens),
        *check_number("n", n, spec.n),
        *_check_near_zero(temperature, n, spec.near_zero),
        *_check_context(max_tokens, prompt_tokens, context_length),
    ]


def check_speech(
    text: object, model: object, voice: object, response_format: object, speed: object
) -> list[Violation]:
    return [
        *check_text("input", text, SPEECH_CHARACTERS),
        *check_choice("model", model, SPEECH_MODELS),
        *check_choice("voice", voice, VOICES),
        *check_choice("response_format", response_format, tuple(SPEECH_FORMATS)),
        *check_number("speed", speed, SPEED),
    ]


def check_transcription(
    extension: str, size: int, model: object, language: object, response_format: object, temperature: object
) -> list[Violation]:
    violations = [
        *check_choice("file", extension.lower(), TRANSCRIPTION_EXTENSIONS),
        *check_choice("model", model, TRANSCRIPTION_MODELS),
        *check_choice("response_format", response_format, TRANSCRIPTION_FORMATS),
        *check_number("temperature", temperature, TRANSCRIPTION_TEMPERATURE),
    ]
    if size > TRANSCRIPTION_BYTES:
        limit = TRANSCRIPTION_BYTES // 1024**2
        violations.append(
            violation("file", _("The recording must not be larger than %(limit)d MB."), limit=limit)
        )
    if size == 0:
        violations.append(violation("file", _("The recording is empty.")))
    if language and not (isinstance(language, str) and re.fullmatch(r"[a-z]{2}", language)):
        violations.append(violation("language", _("A language is given by two letters, as en or zh.")))
    return violations


def check_image(prompt: object, model: object, n: object, size: object) -> list[Violation]:
    return [
        *check_text("prompt", prompt, IMAGE_CHARACTERS),
        *_check_model(model, "image", known(model)),
        *check_number("n", n, IMAGE_N),
        *check_choice("size", size, IMAGE_SIZES),
    ]


def _check_messages(messages: object, spec: KnownModel) -> list[Violation]:
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes) or not messages:
        return [violation("messages", _("There must be at least one message."))]
    for message in messages:
        if not isinstance(message, Mapping) or message.get("role") not in ROLES:
            return [
                violation(
                    "messages", _("A message's role must be one of: %(roles)s."), roles=", ".join(ROLES)
                )
            ]
        if _is_blank(message.get("content")):
            return [violation("messages", _("A message must not be empty."))]
        if _has_picture(message.get("content")) and not spec.vision:
            return [violation("messages", _("The model “%(model)s” can't look at pictures."), model=spec.id)]
    return []


def _is_blank(content: object) -> bool:
    if isinstance(content, str):
        return not content.strip()
    return not isinstance(content, list) or not any(_says_something(part) for part in content)


def _says_something(part: object) -> bool:
    if not isinstance(part, Mapping):
        return False
    text = part.get("text")
    return bool(isinstance(text, str) and text.strip()) or "image_url" in part


def _has_picture(content: object) -> bool:
    return isinstance(content, list) and any(
        isinstance(part, Mapping) and "image_url" in part for part in content
    )


def _check_model(model: object, kind: Kind, spec: KnownModel) -> list[Violation]:
    if not isinstance(model, str) or not model.strip():
        return [violation("model", _("Choose a model."))]
    if spec.kind != kind:
        return [
            violation("model", _("The model “%(model)s” can't do this. Choose another one."), model=model)
        ]
    return []


def _check_near_zero(temperature: object, n: object, near_zero: float) -> list[Violation]:
    if (
        not isinstance(n, int)
        or not isinstance(temperature, int | float)
        or n <= 1
        or not 0 <= temperature < near_zero
    ):
        return []
    wanted = _(
        "With a temperature below %(limit)s there can be only one answer. Raise the temperature to %(limit)s"
        " or ask for one answer."
    )
    return [violation("n", wanted, limit=plain(near_zero))]


def _check_context(max_tokens: object, prompt_tokens: int, context_length: int) -> list[Violation]:
    room = context_length - prompt_tokens
    if room < 1:
        wanted = _(
            "The conversation is too long for this model: about %(tokens)d tokens, of at most %(limit)d."
        )
        return [violation("messages", wanted, tokens=prompt_tokens, limit=context_length)]
    if not isinstance(max_tokens, int) or max_tokens <= room:
        return []
    wanted = _(
        "max_tokens must be at most %(room)d here: the model takes %(limit)d tokens for question and answer"
        " together, and the conversation already has about %(tokens)d."
    )
    return [violation("max_tokens", wanted, room=room, limit=context_length, tokens=prompt_tokens)]
