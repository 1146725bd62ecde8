"""What was said so far? The view of a conversation that the script's rules read."""

from collections.abc import Sequence

from webchat.demo.chat.question import Message
from webchat.demo.script.language import Language, language_of_last


class Conversation:
    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.system = "\n".join(one.text for one in messages if one.role == "system")
        self.questions = [one.text for one in messages if one.role == "user"]
        self.answers = [one.text for one in messages if one.role == "assistant"]
        self.last = self.questions[-1] if self.questions else ""

    @property
    def language(self) -> Language:
        return language_of_last(reversed([self.system, *self.questions]))

    @property
    def images(self) -> tuple[str, ...]:
        asked = [one for one in self.messages if one.role == "user"]
        return asked[-1].images if asked else ()
