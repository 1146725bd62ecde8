"""Which written answer fits the question? One Markdown file per topic and language, found by its keywords."""

import re
from functools import cache
from importlib.resources import files

from webchat.demo.script.conversation import Conversation
from webchat.demo.script.language import Language

_KEYWORDS = (
    ("long", r"\blong\b|\bdetailed\b|\bin detail\b|\bessay\b|详细|长文|长一点|全面"),
    ("python", r"\bpython\b"),
    ("javascript", r"\bjavascript\b|\btypescript\b|\bjs\b|\bnode\b|\bfrontend\b|前端"),
    ("sql", r"\bsql\b|\bdatabase\b|\bquery\b|数据库|查询语句"),
    ("bash", r"\bbash\b|\bshell\b|\bcommand line\b|\bterminal\b|脚本|命令行"),
    ("code", r"\bcode\b|\bprogram\b|\bfunction\b|代码|编程|程序|函数"),
    ("formula", r"\bformulas?\b|\bmaths?\b|\bequations?\b|\bintegral\b|\blatex\b|公式|数学|方程|积分"),
    ("table", r"\btables?\b|\bcompar(?:e|ison)\b|\bversus\b|\bvs\b|表格|对比|比较"),
    ("tasks", r"\btasks?\b|\bto-?dos?\b|\bchecklist\b|\bplan\b|任务|清单|计划|待办"),
    ("footnotes", r"\bfootnotes?\b|\bsources?\b|\bcitations?\b|脚注|出处|参考文献"),
    ("quote", r"\bquot(?:e|es|ation)\b|引用|名言"),
    ("links", r"\blinks?\b|\bwebsites?\b|\burls?\b|链接|网址"),
    ("lists", r"\blists?\b|\bsteps?\b|\brecipe\b|列表|步骤|菜谱"),
    (
        "tour",
        r"\bmarkdown\b|\bheadings?\b|\bformatting\b|\bwhat can you\b|\bhelp\b"
        r"|标题|格式|你能做|你会什么|帮助|展示",
    ),
)
_PATTERNS = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in _KEYWORDS)


def answer(talk: Conversation) -> str | None:
    for topic, pattern in _PATTERNS:
        if pattern.search(talk.last):
            return text(topic, talk.language)
    return None


@cache
def text(topic: str, language: Language) -> str:
    return (
        files("webchat.demo.script").joinpath("answers", language, f"{topic}.md").read_text("utf-8").strip()
    )
