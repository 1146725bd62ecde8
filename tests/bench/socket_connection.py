"""How does the bench speak WebSocket? As Chrome does, by hand: a library would cost more than the portal it measures."""

import asyncio
import base64
import os
import re
import time
import zlib
from collections.abc import Callable
from typing import cast

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINAL, COMPRESSED, MASKED = 0x80, 0x40, 0x80
DEFLATE_END = b"\x00\x00\xff\xff"
# As static/js/elements/chat-socket.js has it.
CONFIRMED_TOGETHER = 8
KEY = b"\x37\xfa\x21\x3d"

OnText = Callable[["SocketConnection", bytes, int], None]
OnClosed = Callable[[int], None]


class SocketConnection(asyncio.Protocol):
    """Calls `on_text(self, text, microseconds)` for each frame, and `on_closed(code)` when it ends by itself."""

    def __init__(self, path: str, headers: dict[str, str], on_text: OnText, on_closed: OnClosed) -> None:
        self._path, self._headers = path, headers
        self._on_text, self._on_closed = on_text, on_closed
        self._rest = b""
        self._message: list[bytes] = []
        self._is_compressed = False
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None
        self._code = 1006
        self._is_leaving = False
        self.is_open = False
        self.bytes_received = 0
        self.frames_received = self._confirmed = 0
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        headers = self._headers | {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        }
        lines = [f"GET {self._path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        now = time.time_ns() // 1000
        self.bytes_received += len(data)
        data = self._rest + data if self._rest else data
        if not self.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._accepted(head.decode("latin-1"))
        self._rest = self._read_frames(data, now)

    def _accepted(self, head: str) -> None:
        if not head.startswith("HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(head.splitlines()[0]))
            self._transport.close()
            return
        extensions = re.search(r"(?im)^sec-websocket-extensions:(.*)$", head)
        if extensions and "permessage-deflate" in extensions[1]:
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            if "client_no_context_takeover" not in extensions[1]:
                bits = re.search(r"client_max_window_bits=(\d+)", extensions[1])
                self._deflate = zlib.compressobj(1, wbits=-max(9, int(bits[1]) if bits else 15), memLevel=1)
        self.is_open = True
        self.opened.set_result(None)

    def _read_frames(self, data: bytes, now: int) -> bytes:
        """Returns the beginning of a frame that is not all there."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, length, start = data[at], data[at + 1] & 0x7F, at + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2]), start + 2
            elif length == 127:
                length, start = int.from_bytes(data[start : start + 8]), start + 8
            if start > end or start + length > end:
                break
            self._take(first, data[start : start + length], now)
            at = start + length
        return data[at:]

    def _take(self, first: int, payload: bytes, now: int) -> None:
        opcode = first & 0x0F
        if opcode == PING:
            self._send(FINAL | PONG, payload)
        elif opcode == CLOSE:
            self._code = int.from_bytes(payload[:2]) or 1005
            self._send(FINAL | CLOSE, payload[:2])
            self._transport.close()
        elif opcode <= TEXT:
            self._take_text(first, payload, now)

    def _take_text(self, first: int, payload: bytes, now: int) -> None:
        if first & 0x0F:
            self._is_compressed = bool(first & COMPRESSED)
        if self._message or not first & FINAL:
            self._message.append(payload)
            if not first & FINAL:
                return
            payload = b"".join(self._message)
            self._message.clear()
        if self._is_compressed and self._inflate:
            payload = self._inflate.decompress(payload + DEFLATE_END)
        self.frames_received += 1
        self._on_text(self, payload, now)

    def acknowledge(self) -> None:
        """As the page's own script does it: some frames together."""
        if self.frames_received - self._confirmed >= CONFIRMED_TOGETHER:
            self.confirm()

    def confirm(self) -> None:
        self._confirmed = self.frames_received
        text = b'{"received":%d}' % self.frames_received
        if self._deflate:
            # Chrome compresses all that it sends when it may.
            compressed = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            self._send(FINAL | COMPRESSED | TEXT, compressed[:-4])
        else:
            self._send(FINAL | TEXT, text)

    def _send(self, first: int, payload: bytes) -> None:
        length = len(payload)
        key = (KEY * (length // 4 + 1))[:length]
        masked = (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(length)
        self._transport.write(bytes((first, MASKED | length)) + KEY + masked)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed in the handshake"))
        if not self._is_leaving:
            self._on_closed(self._code)

    def leave(self) -> None:
        """The page is closed."""
        self._is_leaving = True
        if not self._transport.is_closing():
            self._send(FINAL | CLOSE, (1001).to_bytes(2))
            self._transport.close()
