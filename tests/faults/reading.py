"""What does a reader see of an answer? Read from the page's HTML."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from django.test import AsyncClient

from tests.chat.page import parse
from webchat.chat.models import Message


@dataclass(frozen=True)
class ShownAnswer:
    """An answer's bubble, the line below it, the buttons in that line, and the small print."""

    html: str
    body: str
    sentence: str
    verbs: list[str]
    facts: str


async def look_at(client: AsyncClient, answer: Message) -> ShownAnswer:
    page = await client.get(f"/conversations/{answer.conversation_id}/")
    return read_answer(page.content.decode(), answer.pk)


def read_answer(html: str, pk: object) -> ShownAnswer:
    start = html.index(f'<li class="message" id="message-{pk}"')
    own = html[start : html.index("</article>", start)] + "</article></li>"
    message = parse(own)
    state = _one(message, "div", id=f"answer-{pk}-state")
    return ShownAnswer(
        html=own,
        body=words(_one(message, "message-body")),
        sentence=" ".join(words(line) for line in state.iter("p")),
        verbs=[words(button) for button in state.iter("button")],
        facts=words(_one(message, "p", **{"class": "message__facts"})),
    )


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _one(element: Element, tag: str, **attributes: str) -> Element:
    (found,) = (one for one in element.iter(tag) if attributes.items() <= one.attrib.items())
    return found
