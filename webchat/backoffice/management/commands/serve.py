"""The portal itself: pages and sockets from one Daphne process, which ends gracefully on SIGTERM."""

import asyncio
import contextlib
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from twisted.internet.defer import Deferred

from webchat.allocation import catalogue
from webchat.allocation.models import Allocation, APIToken
from webchat.allocation.vault import VaultLocked, unseal
from webchat.chat import recovery, shutdown
from webchat.upstream.client import close_pools

# Longer the start does not wait for the list of models; a page that is opened asks again.
UPSTREAM_PATIENCE_SECONDS = 3


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        check_vault()
        import_token()
        recovery.end_lost_answers()
        async_to_sync(refresh_models)()
        logging.getLogger("daphne").setLevel(logging.WARNING)
        server = Server(
            get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            ping_interval=15,
            ping_timeout=20,
            http_timeout=120,
            websocket_timeout=12 * 3600,
            application_close_timeout=5,
            server_name="webchat",
            ready_callable=lambda: self.announce(host, port),
        )
        look_after_answers()
        server.run()

    def announce(self, host: str, port: int) -> None:
        self.stdout.write(f"The portal is at {settings.SITE_URL} (listening on {host}:{port})")
        self.stdout.flush()


def check_vault() -> None:
    """Refuse to start with keys that do not open what is in the vault."""
    for token in APIToken.objects.all():
        try:
            unseal(token.sealed)
        except VaultLocked:
            raise CommandError(
                f"VAULT_KEYS does not open the token “{token}”. Put the key back that sealed it."
                " docs/operations.md says what to do when it is lost."
            ) from None


def import_token() -> None:
    try:
        APIToken.objects.all().import_from_environment()
    except ValidationError as error:
        raise CommandError(f"UPSTREAM_BASE_URL and UPSTREAM_API_KEY: {' '.join(error.messages)}") from None


async def refresh_models() -> None:
    """So that the first page already offers what the upstream has."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UPSTREAM_PATIENCE_SECONDS):
            await ask_for_models()
    await close_pools()


async def ask_for_models() -> None:
    everyones = await Allocation.objects.filter(user=None).select_related("api_token").afirst()
    if everyones:
        await catalogue.refresh_with(everyones.api_token)


def look_after_answers() -> None:
    """From the first turn of the loop: end answers that were lost. At its end: save those that are arriving."""
    from twisted.internet import reactor

    def drained() -> "Deferred[None]":
        return Deferred.fromFuture(asyncio.ensure_future(shutdown.drain()))

    # Twisted's interfaces have their types wrong here.
    reactor.callLater(0, recovery.watch)  # type: ignore[arg-type]
    # Without this Daphne ends at once: without close frames, and without the `finally` of any task.
    reactor.addSystemEventTrigger("before", "shutdown", drained)  # type: ignore[arg-type]
