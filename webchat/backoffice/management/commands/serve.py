"""The portal itself: pages and sockets from one Daphne process, which ends gracefully on SIGTERM."""

import asyncio
import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.http_protocol import WebRequest
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webchat import background
from webchat.backoffice import lifespan
from webchat.chat import shutdown
from webchat.edge.loop import loop
from webchat.edge.server import HardenedServer

# Ending takes 8 s at most. If something hangs all the same, nothing that was acknowledged hangs with it.
LATEST_SECONDS = 9


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        logging.getLogger("daphne").setLevel(logging.WARNING)
        try:
            loop.run_until_complete(lifespan.start())
        except lifespan.CannotStart as problem:
            raise CommandError(str(problem)) from None
        server = PatientServer(
            get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            http_timeout=120,
            websocket_handshake_timeout=10,
            websocket_timeout=12 * 3600,
            application_close_timeout=5,
            server_name="webchat",
            # By itself Daphne ends at once: without close frames, and without the `finally` of any task.
            signal_handlers=False,
            ready_callable=lambda: self.announce(host, port),
        )
        server.run()
        if server.abort_start:
            raise CommandError(f"Cannot listen on {host}:{port}. Is the port taken?")

    def announce(self, host: str, port: int) -> None:
        self.stdout.write(f"The portal is at {settings.SITE_URL} (listening on {host}:{port})")
        self.stdout.flush()


class PatientServer(HardenedServer):
    """Asked to end, it goes on serving until answers are saved and pages are told; only then it stops."""

    def run(self) -> None:
        self.ports: list[Any] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)
        super().run()

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def end(self, number: int, frame: FrameType | None) -> None:
        # Ctrl-C reaches a child twice, and nobody gets it done sooner by asking again.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        last_resort = threading.Timer(LATEST_SECONDS, os._exit, args=[1])
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        draining = background.spawn(shutdown.drain(self.requests, self.stop_listening), name="shutdown")
        draining.add_done_callback(lambda _: self.stop())

    def requests(self) -> set["asyncio.Future[Any]"]:
        """Those that are being answered."""
        return {
            details["application_instance"]
            for protocol, details in self.connections.items()
            if isinstance(protocol, WebRequest) and "application_instance" in details
        }

    def stop_listening(self) -> None:
        for port in self.ports:
            port.stopListening()
