"""What does the demo remember of the conversation? What was said in it, and nothing else."""

import re

from webchat.demo.script.conversation import Conversation

_INTRODUCED = re.compile(
    r"\b(?:my name is|i am called)\s+([A-Z\u4e00-\u9fff][\w'-]{0,30})"
    r"|(?:我叫|我的名字是)([\u4e00-\u9fffA-Za-z]{1,12})",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(
    r"what(?:'s| is) my name|who am i\b|我叫什么|我的名字(?:是|叫)?什么|我是谁", re.IGNORECASE
)
_COUNT_ASKED = re.compile(
    r"how many (?:messages|questions|turns)|(?:多少|几)(?:条|个)?(?:消息|问题|轮)", re.IGNORECASE
)
_EARLIER_ASKED = re.compile(
    r"what (?:did i|have i) (?:just )?(?:ask|say|said)|my (?:last|previous|first) (?:question|message)"
    r"|(?:刚才|之前|上一个|第一个).{0,6}(?:问|说)",
    re.IGNORECASE,
)
_SUMMARY_ASKED = re.compile(r"\bsummari[sz]e\b|\bsummary\b|\bsum up\b|总结|概括|小结", re.IGNORECASE)


def introduced_name(text: str) -> str | None:
    if _NAME_ASKED.search(text):
        return None
    match = _INTRODUCED.search(text)
    return (match[1] or match[2]) if match else None


def name(talk: Conversation) -> str | None:
    if not _NAME_ASKED.search(talk.last):
        return None
    names = [found for found in map(introduced_name, talk.questions) if found]
    if talk.language == "zh":
        return f"你叫{names[-1]}，这是你之前告诉我的。" if names else "你还没有告诉我你叫什么名字。"
    return (
        f"Your name is {names[-1]}; you told me earlier." if names else "You have not told me your name yet."
    )


def messages(talk: Conversation) -> str | None:
    if not _COUNT_ASKED.search(talk.last):
        return None
    asked, answered = len(talk.questions), len(talk.answers)
    if talk.language == "zh":
        return f"到现在为止，你发了 {asked} 条消息，我回答了 {answered} 条，一共 {asked + answered} 条。"
    return f"Messages so far: {asked} from you and {answered} from me, {asked + answered} in all."


def earlier_question(talk: Conversation) -> str | None:
    if not _EARLIER_ASKED.search(talk.last):
        return None
    earlier = talk.questions[:-1]
    is_first = "first" in talk.last.lower() or "第一" in talk.last
    found = _short(earlier[0] if is_first else earlier[-1]) if earlier else None
    if talk.language == "zh":
        return f"你问的是：“{found}”" if found else "这是这次对话的第一条消息，之前没有别的。"
    return f"You asked: “{found}”" if found else "This is the first message of our conversation."


def summary(talk: Conversation) -> str | None:
    if not _SUMMARY_ASKED.search(talk.last):
        return None
    _, _, given = talk.last.replace("：", ":").partition(":")
    if given.strip():
        sentence = re.split(r"(?<=[.!?。！？])\s*", given.strip())[0]
        return (
            f"一句话总结：{_short(sentence)}"
            if talk.language == "zh"
            else f"In one sentence: {_short(sentence)}"
        )
    earlier = [f"{at}. {_short(text)}" for at, text in enumerate(talk.questions[:-1], 1)]
    if talk.language == "zh":
        return "到目前为止，你问了：\n\n" + "\n".join(earlier) if earlier else "还没有可以总结的内容。"
    return "So far you asked:\n\n" + "\n".join(earlier) if earlier else "There is nothing to summarise yet."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
