"""What may one HTTP connection take, of memory, disk and time? Looked at before Django reads anything."""

import io
from typing import Any, BinaryIO

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel

from webchat.edge.outlet import Outlet, unread

# From the first byte of a request to the end of its header, which is at most 16 KiB (Twisted's limit).
HEADER_SECONDS = 10
# A body has to bring so many bytes a second, looked at so often: a bad telephone line does.
SLOWEST_BODY = 4 * 1024
BODY_SECONDS = 20
# Between two requests, and for each look at whether an answer is still being read. Browsers open anew without
# asking anybody; proxies that keep connections are told by the close.
IDLE_SECONDS = 25
UNREAD_SECONDS = 15
# Whoever was refused in mid-sentence has so long to see why.
LINGER_SECONDS = 2
# All bodies that are arriving or being worked on, in units of the largest: they lie on disk.
LARGEST_BODIES = 16
# Longer forms are long messages, and rare.
LARGE_FORM = 64 * 1024
# Who does not even say to be signed in brings no files.
LARGEST_WITHOUT_SESSION = 1024 * 1024
BODY_PART = 64 * 1024
REFUSALS = {413: b"Payload Too Large", 503: b"Service Unavailable"}


class Request(WebRequest):
    content: Any

    def __init__(self, channel: HTTPChannel, queued: object) -> None:
        # Twisted would parse a form in memory, for nobody: Django does it again.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._body: BinaryIO | None = None
        self._is_cut_off = False

    @property
    def largest_body(self) -> int:
        """Only files are large. Any other form is read into memory, as Django is told how much of."""
        if self._is_for_socket:
            return 0
        largest = int(settings.UPLOAD_MAX_BYTES if self._has_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        return largest if self._has_session else min(largest, LARGEST_WITHOUT_SESSION)

    @property
    def is_large_form(self) -> bool:
        return self.channel.body_bytes > LARGE_FORM and not self._has_files

    def process(self) -> Any:
        # Daphne takes it for the address under which the portal is mounted, from anybody.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if not self._is_for_socket:
            # Daphne would read all of it into memory.
            self._body, self.content = self.content, io.BytesIO()
        return super().process()

    @property
    def _has_files(self) -> bool:
        kind: bytes = self.requestHeaders.getRawHeaders(b"content-type", [b""])[0]
        return kind.lower().startswith(b"multipart/form-data")

    @property
    def _has_session(self) -> bool:
        cookies: list[bytes] = self.requestHeaders.getRawHeaders(b"cookie", [])
        return any(settings.SESSION_COOKIE_NAME.encode() + b"=" in cookie for cookie in cookies)

    @property
    def _is_for_socket(self) -> bool:
        upgrade: bytes = self.requestHeaders.getRawHeaders(b"upgrade", [b""])[0]
        return upgrade.lower() == b"websocket"

    async def receive(self) -> dict[str, Any]:
        """Part by part, when Django asks for it."""
        if self._is_cut_off:
            # What has been read would be taken for all of it.
            return {"type": "http.disconnect"}
        if self._body is None:
            message: dict[str, Any] = await self.application_queue.get()
            return message
        part = self._body.read(BODY_PART)
        if len(part) < BODY_PART:
            await self.application_queue.get()
            self._close_body()
        return {"type": "http.request", "body": part, "more_body": len(part) == BODY_PART}

    async def until_read(self) -> None:
        # There is none any more when the answer has ended or the client has left.
        if channel := getattr(self, "channel", None):
            await channel.until_read()

    def finish(self) -> None:
        self._close_body()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self._is_cut_off = self._body is not None
        self._close_body()
        super().connectionLost(reason)

    def _close_body(self) -> None:
        if self._body:
            self._body.close()
            self._body = None


class Channel(Outlet, HTTPChannel):
    """One connection: requests after another, each with a deadline for its header, body and answer."""

    requestFactory = Request
    _is_idle = _is_refused = False
    # Of the body that is arriving: in all, and since the last look.
    body_bytes = _new_bytes = 0
    # Of the answer, at the last look.
    _unread = 0

    def dataReceived(self, data: bytes) -> Any:
        if self._is_idle:
            self._is_idle = False
            self.setTimeout(HEADER_SECONDS)
        # Not Twisted's own, which begins to wait anew with every byte.
        return LineReceiver.dataReceived(self, data)

    def allHeadersReceived(self) -> None:
        self.setTimeout(BODY_SECONDS)
        if (self.length or 0) > self.requests[-1].largest_body:
            self._refuse(413)
        else:
            super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self._is_refused:
            return
        if not self._handlingRequest:
            self._count_body(len(data))
        if not self._is_refused:
            super().rawDataReceived(data)

    def _count_body(self, length: int) -> None:
        self.body_bytes += length
        self._new_bytes += length
        self.factory.body_bytes += length
        most_of_all = LARGEST_BODIES * settings.UPLOAD_MAX_BYTES
        # Chunked: nobody has said how long it will be. What frames the chunks counts as well.
        if self.length is None and self.body_bytes > self.requests[-1].largest_body:
            self._refuse(413)
        elif self.body_bytes > LARGE_FORM and self.factory.body_bytes > most_of_all:
            # Whoever holds it must not keep others from saying a word.
            self._refuse(503)

    def _refuse(self, code: int) -> None:
        """Whatever comes is thrown away for a moment: closed at once, the answer would be lost as well."""
        self._is_refused = True
        reason = REFUSALS[code]
        head = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\nConnection: close\r\n" % (code, reason)
        self.transport.write(b"%bContent-Length: %d\r\n\r\n%b\n" % (head, len(reason) + 1, reason))
        self.transport.loseWriteConnection()
        self.setTimeout(LINGER_SECONDS)

    def requestDone(self, request: Request) -> None:
        self._forget_body()
        self._savedTimeOut, self._is_idle = IDLE_SECONDS, True
        self._unread = unread(self.transport)
        super().requestDone(request)
        if not self.persistent:
            self.setTimeout(UNREAD_SECONDS)

    def _forget_body(self) -> None:
        self.factory.body_bytes -= self.body_bytes
        self.body_bytes = self._new_bytes = 0

    def pauseProducing(self) -> None:
        super().pauseProducing()
        HTTPChannel.pauseProducing(self)
        if self._handlingRequest:
            self._unread = unread(self.transport)
            self.setTimeout(UNREAD_SECONDS)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        HTTPChannel.resumeProducing(self)
        if self._handlingRequest:
            self.setTimeout(None)

    def timeoutConnection(self) -> None:
        """Who is slow and goes on gets more time."""
        left = unread(self.transport)
        if self._new_bytes >= SLOWEST_BODY * BODY_SECONDS and not self._is_refused:
            self._new_bytes = 0
            self.setTimeout(BODY_SECONDS)
        elif 0 < left < self._unread:
            self._unread = left
            self.setTimeout(UNREAD_SECONDS)
        elif left == 0:
            # What the kernel still has of an answer goes on being sent.
            self.loseConnection()
        else:
            self.transport.abortConnection()

    def connectionLost(self, reason: Any) -> None:
        self.stopProducing()
        self._forget_body()
        self.factory.server.crowd.leave(self.transport.getPeer().host)
        super().connectionLost(reason)


class Door(HTTPFactory):
    """Who comes in?"""

    protocol = Channel

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.timeOut = HEADER_SECONDS
        self.body_bytes = 0

    def buildProtocol(self, address: Any) -> Channel | None:
        if not self.server.crowd.enter(address.host):
            return None
        channel: Channel = super().buildProtocol(address)
        channel.requestFactory = Request
        return channel

    def log(self, request: Request) -> None:
        """Not for every request a line of a log that is thrown away."""
