"""How many tokens is that? A count of our own, close to what real tokenizers say."""

import re

_CJK = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_WORD = rf" ?(?:(?![{_CJK}])[^\W\d_]){{1,8}}"
_SIGNS = rf" ?(?:(?![{_CJK}])(?:[^\w\s]|_)){{1,4}}"
_TOKEN = re.compile(rf"[{_CJK}]|{_WORD}| ?\d{{1,3}}|{_SIGNS}|\s+(?!\S)|\s")
_PER_MESSAGE = 4
_PER_PROMPT = 3
_PER_IMAGE = 85


def tokens(text: str) -> list[str]:
    """Pieces that make up the text exactly when joined."""
    return _TOKEN.findall(text)


def prompt_tokens(texts: list[str], images: int) -> int:
    written = sum(len(tokens(text)) + _PER_MESSAGE for text in texts)
    return written + _PER_PROMPT + images * _PER_IMAGE
