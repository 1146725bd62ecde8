"""What happens when the portal is asked to end? Every answer is saved, every page is told to come back."""

import asyncio

from webchat import background
from webchat.chat import consumers
from webchat.upstream.client import close_pools

SAVING_SECONDS = 6
FLUSHING_SECONDS = 0.2


async def drain() -> None:
    """Interrupt what is running, wait until it is saved, and close the sockets so that pages connect again."""
    await background.drain(SAVING_SECONDS, cancel=True)
    for socket in list(consumers.open_sockets):
        await socket.close(consumers.COME_BACK)
    # Or the server ends before it has written the close frames.
    await asyncio.sleep(FLUSHING_SECONDS)
    await close_pools()
