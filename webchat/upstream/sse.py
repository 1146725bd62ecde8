"""Where does one server-sent event end and the next begin?

Pure and incremental: bytes in, `data` payloads out. Lines are split as bytes, on LF, CR and CRLF: neither a
character cut in two nor a U+2028 in a text breaks an event. What is no UTF-8 becomes U+FFFD.
"""

from .errors import TooLarge

MAX_LINE = 1024 * 1024
MAX_EVENT = 2 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class SSEReader:
    def __init__(self, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> None:
        self._max_line = max_line
        self._max_event = max_event
        self._parts: list[bytes] = []  # the line that has no end yet
        self._pending = 0
        self._after_cr = False
        self._at_start = True
        self._data: list[bytes] = []
        self._size = 0
        self._too_large = False

    def feed(self, chunk: bytes) -> list[str]:
        """The payloads that this chunk completes; TooLarge once there are no more before the line that is."""
        if not chunk:
            return []
        ends_with_cr = chunk.endswith(b"\r")
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = ends_with_cr
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return self._split(chunk)

    def close(self) -> list[str]:
        """What is left at the end of the stream, though no blank line followed."""
        return self._split(b"\n\n")

    def _split(self, chunk: bytes) -> list[str]:
        payloads: list[str] = []
        try:
            self._read(chunk, payloads)
        except TooLarge:
            self._too_large = True
        if self._too_large and not payloads:
            raise TooLarge()
        return payloads

    def _read(self, chunk: bytes, payloads: list[str]) -> None:
        first, *more = chunk.split(b"\n")
        self._keep(first)
        for following in more:
            payload = self._read_line(b"".join(self._parts))
            if payload is not None:
                payloads.append(payload)
            self._parts.clear()
            self._pending = 0
            self._keep(following)

    def _keep(self, part: bytes) -> None:
        # Kept in parts and joined once: a line that comes byte by byte must not be copied for each byte.
        if self._too_large or self._pending + len(part) > self._max_line:
            raise TooLarge()
        if part:
            self._parts.append(part)
            self._pending += len(part)

    def _read_line(self, line: bytes) -> str | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b"data:"):
            self._add(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            self._add(b"")
        return None  # comments, event, id, retry and unknown fields say nothing to us

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._size += len(data) + 1
        if self._size > self._max_event:
            raise TooLarge()

    def _dispatch(self) -> str | None:
        if not self._data:
            return None
        payload = b"\n".join(self._data).decode("utf-8", "replace")
        self._data.clear()
        self._size = 0
        return payload or None
