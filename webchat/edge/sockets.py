"""What may one socket take, of memory and of everybody's time?"""

import time
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from webchat.edge.compression import Deflate, accept
from webchat.edge.outlet import Outlet, unread

# A page confirms frames, in 20 bytes; the consumer refuses whatever else it says.
LONGEST_MESSAGE = 64 * 1024
# So many may wait for the consumer, which takes each in a fraction of a millisecond.
MOST_WAITING = 32
# A page has one thing to say for each frame that it is sent, which is always allowed; and besides that,
# pongs and what a person does: far less than this many a second, and this many at once.
FRAMES_A_SECOND = 20
FRAMES_AT_ONCE = 100
# While something is sent, whoever reads nothing is gone within 5 + 2 + 10 seconds. Looks are counted, not seconds:
# a process that was held for a while has not looked, and its pages have answered meanwhile.
PING_SECONDS = 5
LOOKS_FOR_A_PONG = 5
# So long a page may take to say goodbye as well; cut off before, it would not learn why it was closed.
GOODBYE_SECONDS = 5
# Otherwise a ping is there to keep proxies from cutting an idle connection, which they do after 30 or 60
# seconds, and to notice laptops that went to sleep. Seldom, since it wakes a phone's radio.
IDLE_PING_SECONDS = 20


class Socket(Outlet, WebSocketProtocol):
    """Sends no faster than it is read, takes no more than a page has to say, and is small while it rests."""

    _perMessageCompress: Any
    _sent_before = _looks = 0

    # Coming and going

    def connectionMade(self) -> None:
        # In place of the HTTP channel that it was before, which can be forgotten now.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        self.server = self.factory.server_class
        self._allowance, self._counted_at = float(FRAMES_AT_ONCE), time.monotonic()
        self._pinged_at = time.monotonic()
        super().connectionMade()

    def onOpen(self) -> None:
        if self._perMessageCompress:
            # Autobahn names its class in a table that is not ours to change.
            self._perMessageCompress = Deflate.like(self._perMessageCompress)
        # Kilobytes that were of use for the handshake only.
        self.http_request_data = self.http_response_data = None
        self.http_headers = self.http_request_params = None
        self.request.headers = None
        super().onOpen()

    def connectionLost(self, reason: Any) -> None:
        self.stopProducing()
        self.server.crowd.leave(self.transport.getPeer().host)
        super().connectionLost(reason)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        # Not when the handshake was refused before the portal heard of it.
        if self in self.server.connections:
            super().onClose(wasClean, code, reason)

    # Reading

    def dataReceived(self, data: bytes) -> None:
        # Without the log lines that Autobahn composes for nobody.
        self._dataReceived(data)

    def onFrameBegin(self) -> None:
        """Counts every frame: messages, fragments of them, pings and pongs."""
        now = time.monotonic()
        grown = self._allowance + (now - self._counted_at) * FRAMES_A_SECOND
        self._allowance, self._counted_at = min(grown, FRAMES_AT_ONCE) - 1, now
        if self._allowance < 0:
            self.dropConnection(abort=True)
        else:
            super().onFrameBegin()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.application_queue.qsize() < MOST_WAITING:
            super().onMessage(payload, isBinary)
        else:
            self.dropConnection(abort=True)

    # Writing

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state == self.STATE_OPEN:
            self._allowance = min(self._allowance + 1, FRAMES_AT_ONCE)
        if self.state in (self.STATE_OPEN, self.STATE_CONNECTING):
            super().serverSend(content, binary)

    def sendMessage(self, payload: bytes, isBinary: bool = False, **options: Any) -> None:
        # Autobahn would hold a message that is sent to the limit of those that are received.
        self.trafficStats.outgoingWebSocketMessages += 1
        if self._perMessageCompress:
            payload = self._perMessageCompress.compress(payload)
        self.sendFrame(opcode=2 if isBinary else 1, payload=payload, rsv=4 if self._perMessageCompress else 0)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        # Now, if the network takes it: else the reactor is asked to call back, and told afterwards not to any more.
        if self.transport.connected and not self.transport.disconnecting and not unread(self.transport):
            sent = self.transport.writeSomeData(data)
            # What went wrong, the reactor finds out as well.
            data = data[sent:] if isinstance(sent, int) else data
        if data:
            self.transport.write(data)

    # Every two seconds

    def check_timeouts(self) -> None:
        if self.state == self.STATE_CLOSED:
            # Said goodbye, and does not read the answer.
            self.transport.abortConnection()
        if self.state != self.STATE_OPEN or self.duration() > self.server.websocket_timeout:
            super().check_timeouts()
            return
        sent = self.trafficStats.outgoingWebSocketMessages
        is_at_rest = sent == self._sent_before and not self.is_full
        self._sent_before = sent
        if is_at_rest and self._perMessageCompress:
            self._perMessageCompress.rest()
        self._ping(IDLE_PING_SECONDS if is_at_rest else PING_SECONDS)

    def _ping(self, interval: float) -> None:
        if self.autoPingPending:
            self._looks += 1
            if self._looks >= LOOKS_FOR_A_PONG:
                self.dropConnection(abort=True)
        elif time.monotonic() - self._pinged_at > interval:
            self._pinged_at, self._looks = time.monotonic(), 0
            self._sendAutoPing()


class SocketFactory(WebSocketFactory):
    protocol = Socket

    def __init__(self, server: Any) -> None:
        super().__init__(server, server=server.server_name)
        self.setProtocolOptions(
            # The clock is the portal's own, see above: Autobahn's would be a timer for each socket.
            autoPingInterval=0,
            autoPingTimeout=0,
            # `null` is refused by what knows the origins that are allowed.
            allowNullOrigin=True,
            closeHandshakeTimeout=GOODBYE_SECONDS,
            openHandshakeTimeout=server.websocket_handshake_timeout,
            maxMessagePayloadSize=LONGEST_MESSAGE,
            maxFramePayloadSize=LONGEST_MESSAGE,
            perMessageCompressionAccept=accept,
        )
