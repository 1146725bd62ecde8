"""Who asks in the bench? A person with a browser at the portal; and for the floor somebody at the upstream itself."""

import asyncio
import html
import json
import re
import time
import uuid
from array import array
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlencode, urlsplit

from tests.bench.answers import STAMP
from tests.bench.http_connection import HttpConnection, Reply, address_of
from tests.bench.portal import Member
from tests.bench.socket_connection import SocketConnection

SOCKET_URL = re.compile(r'ws-connect="([^"]+)"')
CSRF_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
ENDED = re.compile(rb'data-role="assistant" data-state="(complete|stopped|failed|interrupted)"')
QUESTION = "Tell me something, and take your time."
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)


@dataclass
class Watch:
    """What one person saw of one answer. Times are microseconds since the epoch."""

    asked_at: int = 0
    posted_in: int = 0
    first_stamp: int = 0
    newest_stamp: int = 0
    last_at: int = 0
    late: "array[int]" = field(default_factory=lambda: array("q"))
    bytes_received: int = 0
    frames: int = 0
    problem: str = ""

    def see(self, text: bytes, now: int) -> None:
        """Each stamp counts once: frames repeat text, and stamps of one answer rise."""
        for stamp in map(int, STAMP.findall(text)):
            if stamp > self.newest_stamp:
                self.first_stamp = self.first_stamp or stamp
                self.newest_stamp = stamp
                self.last_at = now
                self.late.append(now - stamp)


class Person:
    """Signed in, with a conversation open on the page; asks once."""

    def __init__(self, portal_url: str, member: Member, number: int) -> None:
        self._url = portal_url
        # Browsers come from many addresses, and the portal counts its visitors by address.
        self._source = f"127.0.{1 + number // 250}.{1 + number % 250}"
        self._http = HttpConnection(portal_url, self._source)
        self._member = member
        self._cookies = {"sessionid": member.session}
        self._socket: SocketConnection | None = None
        self._received_before = (0, 0)
        self.watch = Watch()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_conversation(self) -> str:
        return self._member.conversations.pop()

    async def open(self, conversation: str) -> None:
        """Load the conversation's page and connect its socket, as the page does."""
        try:
            self._path = f"/conversations/{conversation}/"
            reply = await self.get(self._path)
            socket_url, token = SOCKET_URL.search(reply.text), CSRF_TOKEN.search(reply.text)
            if reply.status != 200 or not socket_url or not token:
                raise ConnectionError(f"page {reply.status}")
            self._token = token[1]
            self.socket_path = html.unescape(socket_url[1]) + "&seen="
            await self.connect(self.socket_path)
        except OSError as error:
            self._end(f"opening: {error}")

    async def connect(self, path: str) -> None:
        headers = {"Host": urlsplit(self._url).netloc, "Origin": self._url, **self._own_headers()}
        socket = SocketConnection(path, headers, self._on_text, self._on_closed)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: socket, *address_of(self._url), local_addr=(self._source, 0))
        await socket.opened
        self._socket = socket

    async def get(self, path: str, **headers: str) -> Reply:
        reply = await self._http.request("GET", path, self._own_headers() | {"Accept": "text/html"} | headers)
        self._cookies |= reply.cookies
        return reply

    async def ask(self, model: str) -> None:
        if not self._socket or self.ended.done():
            return
        self._received_before = (self._socket.bytes_received, self._socket.frames_received)
        try:
            reply = await self._post(model)
        except OSError as error:
            self._end(f"POST: {type(error).__name__}")
            return
        self.watch.posted_in = time.time_ns() // 1000 - self._http.sent_at
        self.watch.asked_at = self._http.sent_at
        if reply.status != 200:
            self._end(f"POST: {reply.status}")

    async def _post(self, model: str) -> Reply:
        """The composer, as htmx sends it."""
        page = self._url + self._path
        headers = self._own_headers() | {
            "Accept": "*/*",
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
            "HX-Target": "composer",
            "HX-Trigger": "composer",
            "HX-Current-URL": page,
            "X-CSRFToken": self._token,
            "Origin": self._url,
            "Referer": page,
        }
        open_fields = {"system": "", "temperature": "", "top_p": "", "max_tokens": "", "n": "1"}
        fields = {"csrfmiddlewaretoken": self._token, "client_id": str(uuid.uuid4())}
        fields |= {"text": QUESTION, "model": model} | open_fields
        return await self._http.request("POST", f"{self._path}messages/", headers, urlencode(fields).encode())

    def close(self) -> None:
        """The page; what its socket had received by now is what the answer took."""
        if self._socket:
            bytes_before, frames_before = self._received_before
            self.watch.bytes_received = self._socket.bytes_received - bytes_before
            self.watch.frames = self._socket.frames_received - frames_before
            self._socket.leave()
        self._http.close()

    @property
    def is_connected(self) -> bool:
        return self._socket is not None and not self.ended.done()

    def _own_headers(self) -> dict[str, str]:
        return {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "gzip, deflate",
            "Accept-Language": "en",
        }

    def _on_text(self, socket: SocketConnection, text: bytes, now: int) -> None:
        socket.acknowledge()
        self.watch.see(text, now)
        if b'data-role="assistant"' in text and (ended := ENDED.search(text)):
            self._end("" if ended[1] == b"complete" else ended[1].decode())

    def _on_closed(self, code: int) -> None:
        self._end(f"socket closed: {code}")

    def _end(self, problem: str) -> None:
        if not self.ended.done():
            self.watch.problem = problem
            self.ended.set_result(None)


class Direct(asyncio.Protocol):
    """Somebody who reads the upstream's own stream: nothing can be faster."""

    def __init__(self, upstream_url: str) -> None:
        self._address = address_of(upstream_url)
        self._rest = b""
        self.watch = Watch()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, *self._address)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    async def ask(self, model: str) -> None:
        messages = [{"role": "user", "content": QUESTION}]
        body = json.dumps({"model": model, "messages": messages, "stream": True}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {self._address[0]}:{self._address[1]}\r\n"
            "Authorization: Bearer sk-for-the-bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.watch.asked_at = time.time_ns() // 1000
        self._transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        now = time.time_ns() // 1000
        self.watch.bytes_received += len(data)
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        self.watch.see(whole + newline, now)
        if b"data: [DONE]" in whole and not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.watch.problem = "the upstream closed the connection"
            self.ended.set_result(None)

    def close(self) -> None:
        self._transport.close()
