"""What is answered in a sentence or two? Echoes, counts, greetings, sums, phrases in the other language."""

import re

from webchat.demo.script import pictures_seen as images
from webchat.demo.script import recall
from webchat.demo.script.arithmetic import result
from webchat.demo.script.conversation import Conversation

MOST_COUNTED = 2000

_ECHO = re.compile(r"\s*(?:echo|复述)\s*[:：] ?(.+)", re.IGNORECASE | re.DOTALL)
_SAY = re.compile(r"\s*say (?:“(.+)”|\"(.+)\"|'(.+)'|(this is .+))\s*", re.IGNORECASE)
_COUNT = re.compile(r"count (?:up )?(?:from 1 )?to (\d{1,6})|(?:从\s*1\s*)?数到\s*(\d{1,6})", re.IGNORECASE)
_GREETING = re.compile(
    r"\s*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b|\s*(?:你好|您好|早上好|下午好|晚上好)",
    re.IGNORECASE,
)
_LONGEST_GREETING = 30
_TRANSLATE = re.compile(r"\btranslat(?:e|ion)\b|翻译|译成", re.IGNORECASE)
_PHRASES = (
    ("good morning", "早上好"),
    ("thank you", "谢谢"),
    ("how are you", "你好吗"),
    ("see you tomorrow", "明天见"),
    ("the meeting is at three o'clock", "会议三点开始"),
    ("where is the station", "车站在哪里"),
    ("hello", "你好"),
)


def echo(talk: Conversation) -> str | None:
    match = _ECHO.fullmatch(talk.last)
    return match[1] if match else None


def say(talk: Conversation) -> str | None:
    match = _SAY.fullmatch(talk.last)
    said = next((group for group in match.groups() if group), "") if match else ""
    return said[:1].upper() + said[1:] if said else None


def count(talk: Conversation) -> str | None:
    match = _COUNT.search(talk.last)
    if match is None:
        return None
    end = min(int(match[1] or match[2]), MOST_COUNTED)
    comma = "，" if talk.language == "zh" else ", "
    return comma.join(str(number) for number in range(1, end + 1)) or "0"


def pictures(talk: Conversation) -> str | None:
    if not talk.images:
        return None
    sizes = [images.size(url) for url in talk.images]
    if talk.language == "zh":
        seen = [f"{size[0]} × {size[1]} 像素" if size else "无法识别的图片" for size in sizes]
        return f"我收到了 {len(seen)} 张图片：{'；'.join(seen)}。演示模型只看得出尺寸。"
    seen = [f"{size[0]} × {size[1]} pixels" if size else "one that cannot be read" for size in sizes]
    return f"I received {len(seen)} picture(s): {'; '.join(seen)}. The demo sees no more than the size."


def translation(talk: Conversation) -> str | None:
    if not _TRANSLATE.search(talk.last):
        return None
    lowered = talk.last.lower()
    for english, chinese in _PHRASES:
        if english in lowered:
            return f"“{english}” → “{chinese}”"
        if chinese in lowered:
            return f"“{chinese}” → “{english}”"
    known = "\n".join(f"| {english} | {chinese} |" for english, chinese in _PHRASES)
    lead = "演示只会翻译这几句：" if talk.language == "zh" else "The demo's phrasebook is short:"
    return f"{lead}\n\n| English | 中文 |\n| --- | --- |\n{known}"


def small_talk(talk: Conversation) -> str | None:
    """A greeting, an introduction, a sum, or all three at once: 你好，我叫李雷，1+1等于多少？"""
    name, total = recall.introduced_name(talk.last), result(talk.last)
    greets = bool(_GREETING.match(talk.last)) and len(talk.last) <= _LONGEST_GREETING
    chinese = talk.language == "zh"
    said: list[str] = []
    if name:
        said.append(f"你好，{name}！很高兴认识你。" if chinese else f"Hello, {name}! Nice to meet you.")
    elif greets and total is None:
        said.append("你好！有什么可以帮你的吗？" if chinese else "Hello! What can I do for you?")
    if total:
        said.append(f"{total}。" if chinese else f"{total}.")
    return ("" if chinese else " ").join(said) or None


def otherwise(talk: Conversation) -> str:
    asked, turn = talk.last.strip(), len(talk.questions)
    quoted = "\n".join(
        f"> {line}" for line in (asked if len(asked) <= 400 else asked[:399] + "…").splitlines()
    )
    if talk.language == "zh":
        return (
            f"你问的是：\n\n{quoted}\n\n这是演示，回答都是事先写好的，背后没有真正的模型。"
            f"这是我们对话的第 {turn} 轮。试试问我**表格**、**代码**、**公式**或**详细**的说明。"
        )
    return (
        f"You asked:\n\n{quoted}\n\nThis is a demo with scripted answers; there is no real model behind it. "
        f"This is turn {turn} of our conversation. Try asking for a **table**, some **code**, a **formula** "
        f"or a **long** answer."
    )
