"""How many tokens is a text, roughly? An estimate: callers say so wherever they show or charge it."""

import re
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from .wire import Message

_CJK = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_LETTER = re.compile(r"[A-Za-z]")
_SPACE = re.compile(r"\s")

_PER_MESSAGE = 4
_PER_REPLY = 3
_PER_IMAGE = 765  # what a picture of 1024 × 1024 costs at OpenAI


def estimate(text: str) -> int:
    """ASCII letters by four, CJK × 0.8, digits, punctuation and other scripts by two, white space free."""
    cjk = len(_CJK.findall(text))
    letters = len(_LETTER.findall(text))
    spaces = len(_SPACE.findall(text))
    others = len(text) - cjk - letters - spaces
    return ceil(letters / 4 + cjk * 0.8 + others / 2)


def estimate_messages(messages: Iterable[Message | Mapping[str, Any]]) -> int:
    contents = (
        message.content if isinstance(message, Message) else message.get("content") for message in messages
    )
    return _PER_REPLY + sum(_PER_MESSAGE + _estimate_content(content) for content in contents)


def _estimate_content(content: object) -> int:
    if isinstance(content, str):
        return estimate(content)
    if not isinstance(content, list):
        return 0
    return sum(_estimate_part(part) for part in content if isinstance(part, dict))


def _estimate_part(part: dict[str, Any]) -> int:
    text = part.get("text")
    return estimate(text) if isinstance(text, str) else _PER_IMAGE
