"""Does a token that was refused work again? It is asked from time to time, less and less often, until it does."""

import asyncio
import logging

from django.db import Error as DatabaseProblem

from webchat import background
from webchat.allocation.models import APIToken
from webchat.allocation.probing import probe
from webchat.background import in_database, look_up

SWEEP_SECONDS = 20

logger = logging.getLogger(__name__)
_watchers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def watch(every: float = SWEEP_SECONDS) -> None:
    """Look after tokens in trouble as long as this process lives; asked twice, it is done once."""
    loop = asyncio.get_running_loop()
    if loop not in _watchers or _watchers[loop].done():
        _watchers.clear()
        _watchers[loop] = background.spawn(_look_again_and_again(every), name="comeback", endless=True)


async def _look_again_and_again(every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await sweep()
        except DatabaseProblem:
            logger.warning("The database is away; tokens in trouble are looked after later")


async def sweep() -> list[APIToken]:
    """Try each token whose time has come; returns those that work again."""
    back = []
    for token in await look_up(due):
        if await in_database(token.claim_try) and all(found.is_good for found in await probe(token)):
            logger.info("The upstream takes the token “%s” again", token)
            back.append(token)
    return back


def due() -> list[APIToken]:
    return list(APIToken.objects.usable().to_be_tried())
