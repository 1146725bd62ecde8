"""What happens when the portal is asked to end? Every answer is saved, every page is told to come back."""

from webchat import background
from webchat.chat import consumers
from webchat.upstream.client import close_pools

SAVING_SECONDS = 6


async def drain() -> None:
    """Interrupt what is running, wait until it is saved, and close the sockets so that pages connect again."""
    await background.drain(SAVING_SECONDS, cancel=True)
    for socket in list(consumers.open_sockets):
        await socket.close(consumers.COME_BACK)
    await close_pools()
