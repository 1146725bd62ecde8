"""How is `POST /v1/images/generations` answered? With hills under a sky, drawn from the prompt."""

import asyncio
import base64
import importlib.util
import io
import math
import random
import struct
import textwrap
import time
import zlib
from dataclasses import dataclass
from typing import Any

from webchat.demo.chat.catalogue import FAULT_PREFIX, IMAGE_MODELS
from webchat.demo.fields import choice, integer, read_fields
from webchat.demo.refusals import invalid, unknown_model
from webchat.demo.script.chance import seeded
from webchat.demo.wire import Exchange

SIZES = ("256x256", "512x512", "1024x1024", "1792x1024", "1024x1792")
LONGEST_PROMPT = 4000
MOST_PICTURES = 10
_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc", "wqy-microhei.ttc", "DejaVuSans.ttf")

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Wish:
    model: str
    prompt: str
    count: int
    width: int
    height: int
    wants_url: bool


def read_wish(body: bytes) -> Wish:
    fields = read_fields(body)
    model = fields.get("model", IMAGE_MODELS[0])
    if not isinstance(model, str) or not (model in IMAGE_MODELS or model.startswith(FAULT_PREFIX)):
        raise unknown_model(str(model))
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise invalid("'prompt' must be a text that is not empty.", "prompt")
    if len(prompt) > LONGEST_PROMPT:
        raise invalid(f"'prompt' must have at most {LONGEST_PROMPT} characters.", "prompt")
    width, _, height = choice(fields, "size", SIZES, "1024x1024").partition("x")
    shape = choice(fields, "response_format", ("url", "b64_json"), "url")
    count = integer(fields, "n", 1, MOST_PICTURES) or 1
    return Wish(model, prompt, count, int(width), int(height), shape == "url")


async def answer(exchange: Exchange, wish: Wish) -> None:
    pictures = [await asyncio.to_thread(draw, wish, index) for index in range(wish.count)]
    data = [_entry(wish, base64.b64encode(picture).decode()) for picture in pictures]
    await exchange.reply_json(200, {"created": int(time.time()), "data": data})


def draw(wish: Wish, index: int) -> bytes:
    """A PNG, the same each time for the same wish. Blocking; call it in a thread."""
    chance = seeded(f"{wish.prompt}{index}")
    if importlib.util.find_spec("PIL") is None:
        return _plain(wish.width, wish.height, _colour(chance, 120, 220))
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (wish.width, wish.height), _colour(chance, 190, 245))
    canvas = ImageDraw.Draw(picture)
    _sun(canvas, wish, chance)
    for depth in range(4):
        _hill(canvas, wish, chance, depth)
    _caption(canvas, wish)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _entry(wish: Wish, content: str) -> dict[str, str]:
    entry = {"revised_prompt": wish.prompt, "b64_json": content}
    return entry | {"url": f"data:image/png;base64,{content}"} if wish.wants_url else entry


def _sun(canvas: Any, wish: Wish, chance: random.Random) -> None:
    radius = min(wish.width, wish.height) // 9
    x = chance.randint(radius, wish.width - radius)
    y = chance.randint(radius, wish.height // 3)
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 236, 170))


def _hill(canvas: Any, wish: Wish, chance: random.Random, depth: int) -> None:
    base = wish.height * (0.45 + 0.13 * depth)
    swing, length, shift = wish.height / 14, wish.width / chance.uniform(1, 3), chance.uniform(0, 6)
    line = [(x, base + swing * math.sin(x * 6 / length + shift)) for x in range(0, wish.width + 8, 8)]
    colour = _colour(chance, 140 - 30 * depth, 190 - 30 * depth)
    canvas.polygon([*line, (wish.width, wish.height), (0, wish.height)], fill=colour)


def _caption(canvas: Any, wish: Wish) -> None:
    font = _font(max(wish.width // 32, 12))
    lines = textwrap.wrap(" ".join(wish.prompt.split()), 40)[:3]
    # Without a font for it, Chinese would be a row of boxes: better none than that.
    if all(character < "\u2e80" for line in lines for character in line) or "CJK" in str(
        getattr(font, "path", "")
    ):
        canvas.multiline_text(
            (wish.width * 0.05, wish.height * 0.85), "\n".join(lines), fill="white", font=font
        )


def _font(size: int) -> Any:
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _colour(chance: random.Random, least: int, most: int) -> Colour:
    return chance.randint(least, most), chance.randint(least, most), chance.randint(least, most)


def _plain(width: int, height: int, colour: Colour) -> bytes:
    """A PNG of one colour, by hand."""
    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    blocks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in blocks
    )
