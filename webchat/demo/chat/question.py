"""Is this a chat request that the API takes, and what does it ask for?"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from webchat.demo.chat import counting
from webchat.demo.chat.catalogue import Model, find
from webchat.demo.fields import flag, integer, number, read_fields
from webchat.demo.refusals import invalid, unknown_model
from webchat.demo.script import pictures_seen as images

ROLES = ("system", "user", "assistant")
MOST_ANSWERS = 5
NEAR_ZERO = 0.3
DEFAULT_TEMPERATURE = 0.3

_OWN_PACE = re.compile(r"(.+)@(\d{1,6})ms")


@dataclass(frozen=True)
class Message:
    role: str
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    model: Model
    messages: tuple[Message, ...]
    stream: bool
    n: int
    temperature: float
    max_tokens: int | None
    stop: tuple[str, ...]
    include_usage: bool
    pace: float | None  # seconds between chunks, where the model name says so: `gpt-4@200ms`
    prompt_tokens: int
    seed: int | None

    @property
    def fingerprint(self) -> str:
        """The same for the same conversation, whatever else differs between two runs."""
        parts = [self.model.id, str(self.temperature), str(self.seed)]
        parts += [f"{message.role}\0{message.text}" for message in self.messages]
        return hashlib.sha256("\0\0".join(parts).encode("utf-8", "replace")).hexdigest()


def read_question(body: bytes) -> Question:
    fields = read_fields(body)
    model, pace = _model(fields)
    messages = _messages(fields, model)
    n = integer(fields, "n", 1, MOST_ANSWERS) or 1
    temperature = number(fields, "temperature", DEFAULT_TEMPERATURE, 0, 1)
    if n > 1 and temperature < NEAR_ZERO:
        raise invalid(f"With a temperature below {NEAR_ZERO} only 1 answer can be returned, not {n}.", "n")
    number(fields, "top_p", 1.0, 0, 1)
    prompt = counting.prompt_tokens(
        [message.text for message in messages], sum(len(m.images) for m in messages)
    )
    return Question(
        model=model,
        messages=messages,
        stream=flag(fields, "stream"),
        n=n,
        temperature=temperature,
        max_tokens=_max_tokens(fields, model, prompt),
        stop=_stop(fields),
        include_usage=_include_usage(fields),
        pace=pace,
        prompt_tokens=prompt,
        seed=integer(fields, "seed", -(2**63), 2**63 - 1),
    )


def _split_pace(model: str) -> tuple[str, float | None]:
    match = _OWN_PACE.fullmatch(model)
    return (match[1], int(match[2]) / 1000) if match else (model, None)


def _model(fields: dict[str, Any]) -> tuple[Model, float | None]:
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise invalid("you must provide a model parameter", "model")
    name, pace = _split_pace(name)
    model = find(name)
    if model is None:
        raise unknown_model(name)
    return model, model.pace if pace is None else pace


def _messages(fields: dict[str, Any], model: Model) -> tuple[Message, ...]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("'messages' must be a list of at least one message.", "messages")
    return tuple(_message(message, f"messages[{at}]", model) for at, message in enumerate(messages))


def _message(message: Any, param: str, model: Model) -> Message:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ROLES:
        raise invalid(f"role must be one of {', '.join(ROLES)}", f"{param}.role")
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = [_text(part, param) for part in parts if not _is_image(part)]
    pictures = tuple(_picture(part, param, model) for part in parts if _is_image(part))
    text = "\n".join(texts)
    if not text.strip() and not pictures:
        raise invalid("content 不得为空", f"{param}.content")
    return Message(role, text, pictures)


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image_url"


def _text(part: Any, param: str) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
    if text is None:
        raise invalid("content 不得为空", f"{param}.content")
    if not isinstance(text, str):
        raise invalid("content must be a string or a list of parts", f"{param}.content")
    return text


def _picture(part: dict[str, Any], param: str, model: Model) -> str:
    if not model.sees:
        raise invalid(f"The model `{model.id}` does not take images.", f"{param}.content")
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not images.is_readable(url):
        raise invalid("image_url must hold a data: URI of a picture; nothing is fetched.", f"{param}.content")
    return url


def _max_tokens(fields: dict[str, Any], model: Model, prompt: int) -> int | None:
    wanted = integer(fields, "max_tokens", 1, 10**9)
    total = prompt + (wanted or 0)
    if total > model.context:
        raise invalid(
            f"This model's maximum context length is {model.context} tokens. However, you requested {total} "
            f"tokens ({prompt} in the messages, {wanted or 0} in the completion).",
            "max_tokens" if wanted else "messages",
            "context_length_exceeded",
        )
    return wanted


def _stop(fields: dict[str, Any]) -> tuple[str, ...]:
    stop = fields.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if (
        not isinstance(stops, list)
        or len(stops) > 4
        or not all(isinstance(one, str) and one for one in stops)
    ):
        raise invalid("'stop' must be a string or a list of at most 4 strings.", "stop")
    return tuple(stops)


def _include_usage(fields: dict[str, Any]) -> bool:
    options = fields.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict) or not fields.get("stream"):
        raise invalid("'stream_options' is an object that goes with stream = true.", "stream_options")
    return options.get("include_usage") is True
