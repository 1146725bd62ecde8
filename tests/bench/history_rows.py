"""Who has been here for long? Run in a process of its own: somebody with 5,000 conversations, and one of 2,000 messages.

It prints the session, the id of the long conversation and of one of the others.
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import django

django.setup()

# Models can be imported only after Django is set up.
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.bench.team import BATCH, sign_in  # noqa: E402
from tests.bench.upstream import MODELS  # noqa: E402
from webchat.accounts.models import User  # noqa: E402
from webchat.chat import markdown  # noqa: E402
from webchat.chat.models import Conversation, Message  # noqa: E402

CONVERSATIONS, MESSAGES, LONG = 5000, 20, 2000
QUESTION = "How do I rotate a log file of a service that keeps it open, without losing a line?"


def main() -> None:
    person = User.objects.create(username="historian", email="historian@example.org")
    Historian(person).write()
    json.dump({"session": sign_in(person)} | ids(person), sys.stdout)


def ids(person: User) -> dict[str, str]:
    mine = Conversation.objects.owned_by(person)
    return {"long": str(mine[0].pk), "usual": str(mine[CONVERSATIONS // 2].pk)}


class Historian:
    def __init__(self, person: User) -> None:
        self._person = person
        # 900 of its characters: what an answer has on average.
        self._answer = Path(__file__).with_name("answer.md").read_text(encoding="utf-8")[:900]
        self._html = markdown.render(self._answer, prefix="bench")

    @transaction.atomic
    def write(self) -> None:
        now = timezone.now()
        talks = [self._talk(number, now - timedelta(hours=number)) for number in range(CONVERSATIONS + 1)]
        Conversation.objects.bulk_create(talks, BATCH)
        for number, talk in enumerate(talks):
            messages = self._messages(talk, LONG if number == 0 else MESSAGES)
            Message.objects.bulk_create(messages, BATCH)
            talk.leaf = messages[-1]
        Conversation.objects.bulk_update(talks, ["leaf"], BATCH)

    def _talk(self, number: int, moment: datetime) -> Conversation:
        return Conversation(
            owner=self._person, title=f"Log files, part {number}", model=MODELS[0], active_at=moment
        )

    def _messages(self, talk: Conversation, count: int) -> list[Message]:
        messages: list[Message] = []
        for position in range(count):
            messages.append(self._message(talk, position, messages[-1] if messages else None))
        return messages

    def _message(self, talk: Conversation, position: int, parent: Message | None) -> Message:
        said = {"conversation": talk, "asked_by": self._person, "position": position, "parent": parent}
        if position % 2 == 0:
            return Message(role=Message.Role.USER, text=QUESTION, **said)
        kept = {"html": self._html, "renderer_version": markdown.RENDERER_VERSION, "model": MODELS[0]}
        return Message(role=Message.Role.ASSISTANT, text=self._answer, finish_reason="stop", **kept, **said)


if __name__ == "__main__":
    main()
