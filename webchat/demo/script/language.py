"""Is this Chinese or English? One Chinese character is enough."""

import re
from collections.abc import Iterable
from typing import Literal

Language = Literal["en", "zh"]

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


def language_of(text: str) -> Language:
    return "zh" if _CHINESE.search(text) else "en"


def language_of_last(texts: Iterable[str]) -> Language:
    """The language of the newest text that has any letters: `1+1=?` says nothing."""
    for text in texts:
        if _LETTER.search(text):
            return language_of(text)
    return "en"
