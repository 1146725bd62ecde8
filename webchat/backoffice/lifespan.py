"""What happens when the portal starts, and when it ends? One list for `manage.py serve` and every other ASGI server."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.exceptions import ValidationError

from webchat import background
from webchat.allocation import catalogue, comeback, environment
from webchat.allocation.models import APIToken
from webchat.allocation.vault import VaultLocked, unseal
from webchat.background import in_database
from webchat.chat import recovery, shutdown

# Longer the start does not wait for the list of models; a page that is opened asks again.
UPSTREAM_PATIENCE_SECONDS = 3
# The loop gives the interpreter away with each thing it sends, and a thread that makes a page keeps it for so long.
SWITCH_SECONDS = 0.001


class CannotStart(Exception):
    """With a sentence for whoever starts the portal."""


async def lifespan(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """As ASGI servers ask for it: once when they start, once when they have stopped serving."""
    await receive()
    try:
        await start()
    except CannotStart as problem:
        await send({"type": "lifespan.startup.failed", "message": str(problem)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await shutdown.drain()
    await send({"type": "lifespan.shutdown.complete"})


async def start() -> None:
    """In the event loop that will serve. Raises `CannotStart`."""
    background.ending.clear()
    await in_database(check_vault)
    await in_database(import_token)
    await in_database(recovery.end_lost_answers)
    await refresh_models()
    recovery.watch()
    comeback.watch()
    leave_out_of_collections()
    sys.setswitchinterval(SWITCH_SECONDS)


def leave_out_of_collections() -> None:
    """What has been imported stays. Looking through it each time stops everybody for a tenth of a second."""
    gc.collect()
    gc.freeze()


def check_vault() -> None:
    """Refuse to start with keys that do not open what is in the vault."""
    for token in APIToken.objects.all():
        try:
            unseal(token.sealed)
        except VaultLocked:
            raise CannotStart(
                f"VAULT_KEYS does not open the token “{token}”. Put the key back that sealed it."
                " docs/operations.md says what to do when it is lost."
            ) from None


def import_token() -> None:
    try:
        environment.import_token()
    except ValidationError as error:
        raise CannotStart(f"UPSTREAM_BASE_URL and UPSTREAM_API_KEY: {' '.join(error.messages)}") from None


async def refresh_models() -> None:
    """So that the first page already offers what the upstream has."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UPSTREAM_PATIENCE_SECONDS):
            token = await in_database(APIToken.objects.usable().first)
            if token:
                await catalogue.refresh_with(token)
