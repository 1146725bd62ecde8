"""What does a reader see of an answer? Read from the page, as a browser would show it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = {"br", "hr", "img", "input", "link", "meta", "use", "wbr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, Any]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self._words()).split())

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        found = [self] if self.tag == tag and wanted.items() <= self.attributes.items() else []
        return found + [one for child in self._elements() for one in child.all(tag, **attributes)]

    def one(self, tag: str, **attributes: str) -> "Element":
        (found,) = self.all(tag, **attributes)
        return found

    def _elements(self) -> list["Element"]:
        return [child for child in self.children if isinstance(child, Element)]

    def _words(self) -> list[str]:
        return [
            word
            for child in self.children
            for word in ([child] if isinstance(child, str) else [] if child.tag == "template" else child._words())
        ]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


@dataclass(frozen=True)
class ShownAnswer:
    """An answer's bubble, the line below it, the buttons in that line, and the small print."""

    html: str
    body: str
    sentence: str
    verbs: list[str]
    facts: str


def read(html: str) -> Element:
    builder = _Builder()
    builder.feed(html)
    return builder.open[0]


def read_answer(html: str, pk: object) -> ShownAnswer:
    message = read(html).one("li", id=f"message-{pk}")
    state = message.one("div", id=f"answer-{pk}-state")
    return ShownAnswer(
        html=html,
        body=message.one("message-body").text,
        sentence=" ".join(line.text for line in state.all("p")),
        verbs=[button.text for button in state.all("button")],
        facts=message.one("p", class_="message__facts").text,
    )
