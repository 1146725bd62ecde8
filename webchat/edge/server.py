"""How does the portal stand in the open? Daphne, with bounds on what anybody may take."""

from webchat.edge.loop import loop  # isort:skip  Before whatever imports Twisted's reactor.
from daphne.server import Server  # isort:skip

import asyncio
import contextvars
from functools import partial
from typing import Any

from django.conf import settings
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.logger import globalLogBeginner

from webchat.edge.crowd import Crowd
from webchat.edge.requests import Door, Request
from webchat.edge.sockets import SocketFactory

# Connections that wait to be taken in: after a restart every page comes back within a few seconds.
BACKLOG = 1024


class HardenedServer(Server):
    def run(self) -> None:
        """As Daphne does it, with factories of our own."""
        self.connections: dict[Any, dict[str, Any]] = {}
        self.crowd = Crowd(settings.MAX_CONNECTIONS, settings.MAX_CONNECTIONS_PER_ADDRESS)
        self.http_factory, self.ws_factory = Door(self), SocketFactory(self)
        # It takes sixty times its size to understand a form: one after another.
        self.large_forms = asyncio.Lock()
        globalLogBeginner.beginLoggingTo([lambda _event: None], redirectStandardIO=False, discardBuffer=True)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        for description in self.endpoints:
            endpoint = serverFromString(reactor, f"{description}:backlog={BACKLOG}")
            listener = endpoint.listen(self.http_factory)
            self.listeners.append(listener.addCallbacks(self.listen_success, self.listen_error))
        asyncio.set_event_loop(loop)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        if not self.abort_start:
            self.ready_callable()
            reactor.run(installSignalHandlers=self.signal_handlers)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> "asyncio.Queue[Any]":
        queue: asyncio.Queue[Any] = asyncio.Queue()
        scope.setdefault("asgi", {"version": "3.0"})
        # A request that had to wait behind another on its connection would inherit what belongs to that one.
        running = loop.create_task(self._run(protocol, scope, queue), context=contextvars.Context())
        self.connections[protocol]["application_instance"] = running
        return queue

    async def _run(self, protocol: Any, scope: dict[str, Any], queue: "asyncio.Queue[Any]") -> None:
        send = partial(self.handle_reply, protocol)
        if not isinstance(protocol, Request):
            await self.application(scope, queue.get, send)
        elif protocol.is_large_form:
            async with self.large_forms:
                await self.application(scope, protocol.receive, send)
        else:
            await self.application(scope, protocol.receive, send)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Who sends more than is read has to wait, which Daphne lets nobody do."""
        if self.connections.get(protocol, {"disconnected": True}).get("disconnected"):
            # Or whoever goes on sending to nobody would never let anybody else have a turn.
            await asyncio.sleep(0)
            return
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send" or message.get("more_body"):
            await protocol.until_read()

    def kill_all_applications(self) -> "Deferred[Any]":
        """Daphne stumbles here over a request that is still arriving."""
        running = [
            one["application_instance"] for one in self.connections.values() if "application_instance" in one
        ]
        for application in running:
            application.cancel()
        return Deferred.fromFuture(asyncio.gather(*running, return_exceptions=True))
