"""How is `POST /v1/audio/speech` answered?"""

import asyncio
from dataclasses import dataclass

from webchat.demo.chat.catalogue import FAULT_PREFIX, SPEECH_MODELS
from webchat.demo.fields import choice, number, read_fields
from webchat.demo.media import encoding, voice
from webchat.demo.refusals import invalid, unknown_model
from webchat.demo.wire import Exchange

LONGEST_INPUT = 4096


@dataclass(frozen=True)
class Order:
    model: str
    input: str
    voice: str
    format: str
    speed: float


def read_order(body: bytes) -> Order:
    fields = read_fields(body)
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter", "model")
    if model not in SPEECH_MODELS and not model.startswith(FAULT_PREFIX):
        raise unknown_model(model)
    return Order(
        model=model,
        input=_input(fields.get("input")),
        voice=choice(fields, "voice", tuple(voice.VOICES), None),
        format=choice(fields, "response_format", tuple(encoding.FORMATS), "mp3"),
        speed=number(fields, "speed", 1.0, 0.25, 4.0),
    )


async def answer(exchange: Exchange, order: Order) -> None:
    content, content_type = await asyncio.to_thread(_render, order)
    exchange.memory.remember_spoken(content, order.input)
    await exchange.reply(200, content, content_type)


def _render(order: Order) -> tuple[bytes, str]:
    return encoding.encode(voice.speak(order.input, order.voice), order.format, order.speed)


def _input(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise invalid("'input' must be a text that is not empty.", "input")
    if len(text) > LONGEST_INPUT:
        raise invalid(f"'input' must have at most {LONGEST_INPUT} characters, not {len(text)}.", "input")
    return text
