"""What is in a `multipart/form-data` body? Its fields and its file."""

from dataclasses import dataclass
from email.message import Message

from webchat.demo.refusals import invalid


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True)
class Form:
    fields: dict[str, str]
    files: dict[str, File]


def read_form(content_type: str, body: bytes) -> Form:
    boundary = _header(content_type).get_param("boundary")
    if not content_type.lower().startswith("multipart/form-data") or not isinstance(boundary, str):
        raise invalid("Send multipart/form-data with a boundary.")
    form = Form({}, {})
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        _add(form, _disposition(head), content)
    return form


def _add(form: Form, disposition: Message, content: bytes) -> None:
    name, filename = disposition.get_param("name"), disposition.get_param("filename")
    if not isinstance(name, str):
        raise invalid("A part of the form has no name.")
    if isinstance(filename, str):
        form.files[name] = File(filename, content)
    else:
        form.fields[name] = content.decode("utf-8", "replace")


def _disposition(head: bytes) -> Message:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return _header(value.strip())
    raise invalid("A part of the form has no Content-Disposition.")


def _header(value: str) -> Message:
    """A header's value, in the one place where the standard library reads parameters."""
    message = Message()
    message["content-type"] = value
    return message
