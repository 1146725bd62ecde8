"""How does an answer begin, and how does it show that the system prompt was read?"""

import re

from webchat.demo.script.conversation import Conversation

OPENINGS = {
    "en": ("", "Certainly. ", "Of course. ", "Good question. ", "With pleasure. ", "Let us see. "),
    "zh": ("", "好的。", "当然可以。", "这个问题很好。", "很高兴回答。", "我们来看看。"),
}

_ROLE = re.compile(
    r"you are ([^.,;\n]{1,60})"
    r"|你(?:现在)?是一?[个位名]?([^。，,；\n]{1,30})",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    r"(?i:answer|reply|respond|write|speak)[^.\n]{0,30}? in ([A-Z][a-z]+)"
    r"|用([\u4e00-\u9fff]{1,4}[语文])(?:来)?回答"
)


def system_note(talk: Conversation) -> str:
    """One line, so that it can be seen that a system prompt arrives."""
    if not talk.system.strip():
        return ""
    role, tongue = _found(_ROLE, talk.system), _found(_LANGUAGE, talk.system)
    if talk.language == "zh":
        said = [f"我的身份是“{role}”"] * bool(role) + [f"用{tongue}回答"] * bool(tongue)
        return f"\n\n*（系统提示要求：{'，'.join(said) or _start(talk.system)}。）*"
    said = [f"I am {role}"] * bool(role) + [f"answers are to be in {tongue}"] * bool(tongue)
    return f"\n\n*(The system prompt says: {', and '.join(said) or _start(talk.system)}.)*"


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _start(system: str) -> str:
    line = " ".join(system.split()).rstrip(".。")
    return line if len(line) <= 80 else line[:79] + "…"
