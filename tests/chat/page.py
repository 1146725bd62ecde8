"""What a browser makes of the HTML it is sent: a tree, and htmx's out-of-band swaps in it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LETTERS = {
    "pending": "p",
    "streaming": "r",
    "complete": "c",
    "stopped": "s",
    "failed": "f",
    "interrupted": "i",
}


def parse(html: str) -> Element:
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder.open) == 1, f"left open: {[element.tag for element in builder.open]}"
    return builder.open[0]


class Page:
    def __init__(self, html: str) -> None:
        self.root = parse(html)

    def apply(self, frame: str) -> None:
        """As htmx's ws extension: each element of a frame goes where its `hx-swap-oob` says."""
        for element in list(parse(frame)):
            how = element.attrib.pop("hx-swap-oob", "true")
            style, _colon, selector = how.partition(":")
            target = self.find(selector or f"#{element.get('id')}")
            assert target is not None, f"nothing on the page for {how} {element.attrib}"
            self._swap(style, target, element)

    def find(self, selector: str) -> Element | None:
        """The few selectors that frames use: #id, [id^='…'], and `> tag.class:last-child` behind them."""
        first, *steps = re.split(r"\s*>\s*", selector)
        found = next((element for element in self.root.iter() if _is_named(element, first)), None)
        for step in steps:
            found = next((child for child in _list(found) if _is_step(child, step, found)), None)
        return found

    def messages(self) -> list[Element]:
        return [element for element in self.root.iter() if element.get("class") == "message"]

    def seen(self) -> str:
        """What the page says it shows, as chat-socket.js does."""
        shown = [(one.get("id", "")[8:16], LETTERS[one.get("data-state", "")]) for one in self.messages()]
        return ",".join(f"{short}.{letter}" for short, letter in shown[-100:])

    def states(self) -> list[str]:
        return [message.get("data-state", "") for message in self.messages()]

    def texts(self) -> list[str]:
        """The text of each message's body."""
        return ["".join(_body(message).itertext()).strip() for message in self.messages()]

    def picture(self) -> str:
        """All of the messages, without what differs each time it is rendered."""
        return re.sub(r"\s+", " ", "".join(map(_outline, self.messages())))

    def _swap(self, style: str, target: Element, element: Element) -> None:
        parent = next(one for one in self.root.iter() if target in list(one))
        match style:
            case "true":
                element.tail = target.tail
                parent[list(parent).index(target)] = element
            case "beforeend":
                _add_text(target, element.text)
                target.extend(list(element))
            case "innerHTML":
                target[:], target.text = list(element), element.text
            case "delete":
                parent.remove(target)
            case _:
                raise AssertionError(f"unknown swap {style}")


class _Builder(HTMLParser):
    """Stricter than a browser: what is opened must be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = SubElement(self.open[-1], tag, {name: value or "" for name, value in attrs})
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        SubElement(self.open[-1], tag, {name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        _add_text(self.open[-1], data)


def _add_text(element: Element, text: str | None) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + (text or "")
    else:
        element.text = (element.text or "") + (text or "")


def _list(element: Element | None) -> list[Element]:
    return [] if element is None else list(element)


def _is_named(element: Element, selector: str) -> bool:
    if prefix := re.fullmatch(r"\[id\^='(.+)'\]", selector):
        return element.get("id", "").startswith(prefix[1])
    return "#" + element.get("id", "") == selector


def _is_step(child: Element, step: str, parent: Element | None) -> bool:
    step, is_last, _rest = step.partition(":last-child")
    tag, _dot, name = step.partition(".")
    return (
        (not tag or child.tag == tag)
        and (not name or name in child.get("class", "").split())
        and (not is_last or child is _list(parent)[-1])
    )


def _body(message: Element) -> Element:
    return next(one for one in message.iter() if "message-body" in one.get("class", "").split())


def _outline(message: Element) -> str:
    return "".join(f"{sorted(attributes.items())} {text}" for attributes, text in _parts(message))


def _parts(element: Element) -> Iterator[tuple[dict[str, str], str]]:
    for one in element.iter():
        # Frames carry no CSRF token: htmx sends the page's own in a header.
        if one.get("name") not in ("client_id", "csrfmiddlewaretoken"):
            yield {"tag": one.tag, **one.attrib}, f"{one.text or ''}|{one.tail or ''}"
