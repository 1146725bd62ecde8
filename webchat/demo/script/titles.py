"""What is this conversation called? A few words of its first question."""

import re

from webchat.demo.script.conversation import Conversation
from webchat.demo.script.language import language_of

_ASKED_EN = re.compile(
    r"\btitle\b.{0,200}\b(words?|conversation|chat|exchange|dialogue)\b"
    r"|\b(words?|conversation|chat|exchange|dialogue)\b.{0,200}\btitle\b",
    re.IGNORECASE | re.DOTALL,
)
_ASKED_ZH = re.compile(
    r"标题.{0,60}(字|对话|会话|聊天)|(字|对话|会话|聊天|生成|起|拟|概括).{0,60}标题", re.DOTALL
)
_LABEL = re.compile(r"^.{0,200}?\b(user|question|human|用户|问题|提问)\s*[:：]\s*(?=\S)", re.IGNORECASE)
_FILLERS = (
    "a an and are be can could do does for give hello hi how i in is it me my of on or please show tell the "
    "to us what which who why will with would write you your"
)
_NOISE = frozenset(_FILLERS.split())
_POLITE = re.compile(r"^(你好|您好|请问|请你|请|帮我|麻烦|给我|告诉我|我想知道|能不能|可以|[，,。！!\s])+")
_LONGEST_EN = 6
_LONGEST_ZH = 12


def title(talk: Conversation) -> str | None:
    if not (_is_request(talk.last) or _is_request(talk.system)):
        return None
    subject = _subject(talk)
    return _chinese(subject) if language_of(subject) == "zh" else _english(subject)


def _is_request(text: str) -> bool:
    return bool(_ASKED_EN.search(text[:2000]) or _ASKED_ZH.search(text[:2000]))


def _subject(talk: Conversation) -> str:
    """The first thing asked, be it a message of its own or quoted in the request for a title."""
    lines = [line for question in talk.questions for line in question.splitlines() if line.strip()]
    for line in lines:
        if _LABEL.match(line):
            return _LABEL.sub("", line)
    for line in lines:
        if not _is_request(line):
            return line
    return re.split(r"[:：]", talk.last, maxsplit=1)[-1]


def _english(subject: str) -> str:
    words = re.findall(r"[^\W_][\w'+#.-]*", subject[:400])
    words = [word.rstrip(".'-") for word in words]
    start = next((at for at, word in enumerate(words) if word.lower() not in _NOISE), 0)
    chosen = words[start : start + _LONGEST_EN]
    while len(chosen) > 1 and chosen[-1].lower() in _NOISE:
        chosen.pop()
    if len(chosen) < 2:
        chosen = ["About", *(chosen or ["something"])]
    return " ".join([chosen[0][:1].upper() + chosen[0][1:], *chosen[1:]])


def _chinese(subject: str) -> str:
    clauses = [
        clause
        for clause in re.split(r"[。！？!?；;\n，,：:]", _POLITE.sub("", subject.strip()))
        if clause.strip()
    ]
    clause = clauses[0].strip(" “”\"'《》「」") if clauses else "新的对话"
    if clause.isascii():
        return _english(clause)
    return clause[:_LONGEST_ZH] if len(clause) > 1 else f"关于{clause}"
