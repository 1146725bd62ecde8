"""What does the demo answer? The same words for the same question, in its language, and about it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from webchat.demo.chat.catalogue import SLOW
from webchat.demo.chat.question import MOST_ANSWERS, Question
from webchat.demo.script import asides, recall, sayings, titles, topics
from webchat.demo.script.chance import seeded
from webchat.demo.script.conversation import Conversation
from webchat.demo.script.language import Language

_CONTINUE = re.compile(
    r"\s*(please )?(continue|go on|carry on|keep going)\b|\s*(请)?(继续|接着)", re.IGNORECASE
)
_NOTHING_LEFT = {
    "en": "That was all; there is nothing left to continue.",
    "zh": "已经说完了，没有可以继续的内容。",
}


@dataclass(frozen=True)
class Reply:
    text: str
    is_exact: bool = False  # nothing may be added: it was asked for in just these words


def answer(question: Question, index: int) -> str:
    """The text of one of the answers, whole."""
    root = _without_continuations(question)
    if root is not question:
        return _rest(question, root)
    talk = Conversation(question.messages)
    reply = _reply(talk, question.model.id)
    noted = reply if reply.is_exact else Reply(reply.text + asides.system_note(talk))
    return _varied(question, talk.language, noted, index)


def _without_continuations(question: Question) -> Question:
    """The conversation up to the question whose answer was cut off and is now to be continued."""
    messages = question.messages
    while len(messages) > 1:
        if messages[-1].role == "assistant":
            messages = messages[:-1]
        elif (
            messages[-1].role == "user"
            and messages[-2].role == "assistant"
            and _CONTINUE.match(messages[-1].text)
        ):
            messages = messages[:-2]
        else:
            break
    return question if messages == question.messages else replace(question, messages=messages)


def _rest(question: Question, root: Question) -> str:
    """What is still missing after all that was said, in whichever of the answers it was said."""
    said = [one.text.strip() for one in question.messages[len(root.messages) :] if one.role == "assistant"]
    for index in range(MOST_ANSWERS):
        rest = answer(root, index)
        for part in said:
            if not rest.lstrip().startswith(part):
                break
            rest = rest.lstrip()[len(part) :]
        else:
            return rest if rest.strip() else _NOTHING_LEFT[Conversation(root.messages).language]
    return _NOTHING_LEFT[Conversation(root.messages).language]


def _reply(talk: Conversation, model: str) -> Reply:
    for rule in _EXACT:
        if text := rule(talk):
            return Reply(text, is_exact=True)
    if model == SLOW:
        return Reply(topics.text("long", talk.language))
    for rule in _FREE:
        if text := rule(talk):
            return Reply(text)
    return Reply(sayings.otherwise(talk))


_EXACT: tuple[Callable[[Conversation], str | None], ...] = (
    titles.title,
    sayings.echo,
    sayings.say,
    sayings.count,
)
_FREE: tuple[Callable[[Conversation], str | None], ...] = (
    sayings.pictures,
    recall.name,
    recall.messages,
    recall.earlier_question,
    recall.summary,
    sayings.translation,
    sayings.small_talk,
    topics.answer,
)


def _varied(question: Question, language: Language, reply: Reply, index: int) -> str:
    """At temperature 0 always the same; above it the openings differ, and with them the answers."""
    if question.temperature == 0 or (reply.is_exact and index == 0):
        return reply.text
    openings = [opening for opening in asides.OPENINGS[language] if opening or not reply.is_exact]
    seeded(question.fingerprint).shuffle(openings)
    is_prose = "\n" not in reply.text.strip()
    opening = openings[index] if is_prose or not openings[index] else f"{openings[index].strip()}\n\n"
    return opening + reply.text
