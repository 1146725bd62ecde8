"""Who is told? A page opens a socket for its conversation and gets frames; it sends only what it received."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID
from weakref import WeakSet

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import translation

from webchat import background
from webchat.accounts.models import User
from webchat.accounts.sessions import Ticket
from webchat.background import look_up
from webchat.chat import access, events, frames, recovery
from webchat.chat.models import Conversation
from webchat.chat.reader import Reader

NOT_UNDERSTOOD = 4400
NOT_SIGNED_IN, NOT_FOUND, COME_BACK = access.NOT_SIGNED_IN, access.NOT_FOUND, access.COME_BACK
MOST_BAD_FRAMES_A_MINUTE = 20
LONGEST_FRAME = 64 * 1024

logger = logging.getLogger(__name__)

# Of this process, for the time when it ends.
open_sockets: "WeakSet[ConversationConsumer]" = WeakSet()


class PageLeft(Exception):
    """There is nobody to send to any more."""


class ConversationConsumer(AsyncWebsocketConsumer):
    """Authorises, subscribes, follows."""

    # None that is configured: whoever opens a page must not depend on Redis.
    channel_layer_alias = "none"
    following: asyncio.Task[None] | None = None
    hearing: asyncio.Task[None] | None = None
    visit: access.Visit | None = None
    # A cancelled reader may still be about to send: `asyncio.wait_for` can lose a cancellation.
    has_ended = False

    async def connect(self) -> None:
        # A browser sees a close code only after the handshake; refused before it, it would reconnect for ever.
        await self.accept()
        user, pk = self.scope["user"], self.scope["url_route"]["kwargs"]["pk"]
        if not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
        elif not await look_up(_is_there, user, pk):
            await self.close(NOT_FOUND)
        else:
            await self._follow(pk)

    async def _follow(self, pk: UUID) -> None:
        self.pk = pk
        page = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.bad_frames: list[float] = []
        self.language = _language(page.get("language", [""])[0])
        self.reader = Reader(
            pk,
            shown=frames.read_seen(page.get("seen", [""])[0]),
            header=page.get("header", [""])[0],
            spent=page.get("spent", [""])[0],
            language=self.language,
            send=self._send_frame,
        )
        # Subscribe first, read the state second: no change can fall in between.
        events.follow(pk, self.reader.hear)
        if settings.REDIS_URL:
            self.hearing = background.spawn(self._hear(pk), name=f"hints for {pk}")
        recovery.watch()
        self.visit = access.Visit(
            Ticket.of(self.scope["session"], self.scope["user"]), pk, self._access_ended
        )
        access.enter(self.visit)
        open_sockets.add(self)
        self.following = background.spawn(self._tell(), name=f"reader of {pk}")

    async def _hear(self, pk: UUID) -> None:
        async with events.listen(events.conversation_group(pk)) as heard:
            while True:
                await heard.get()
                self.reader.hear(None)

    async def _send_frame(self, frame: str) -> None:
        if self.has_ended:
            raise PageLeft
        try:
            # Not through two more layers, which look whether it is text.
            await self.base_send({"type": "websocket.send", "text": frame})
        except Exception:
            # Each server raises something of its own when the page has just left.
            raise PageLeft from None

    async def _tell(self) -> None:
        try:
            await self.reader.follow()
        except PageLeft:
            pass
        except Conversation.DoesNotExist:
            await self.close(NOT_FOUND)
        except Exception:
            logger.exception("A reader is lost; its page connects again")
            await self.close(COME_BACK)

    async def _access_ended(self, code: int) -> None:
        self.has_ended = True
        if self.following:
            self.following.cancel()
        # The page may just have left.
        with suppress(Exception):
            await self.close(code)

    async def disconnect(self, code: int) -> None:
        self.has_ended = True
        open_sockets.discard(self)
        if self.visit:
            access.leave(self.visit)
        if self.following:
            self.following.cancel()
            events.leave(self.pk, self.reader.hear)
        if self.hearing:
            self.hearing.cancel()

    async def dispatch(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.receive":
            # Channels would cross to a thread, to look after database connections that no confirmation needs.
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.following:
            return
        received = _frames_received(text_data)
        if received is None:
            await self._refuse_frame()
        else:
            self.reader.confirm(received)

    async def _refuse_frame(self) -> None:
        now = time.monotonic()
        self.bad_frames = [*(then for then in self.bad_frames if then > now - 60), now]
        if len(self.bad_frames) > MOST_BAD_FRAMES_A_MINUTE:
            await self.close(NOT_UNDERSTOOD)
        elif len(self.bad_frames) == 1:
            with translation.override(self.language):
                await self.send(frames.not_understood())


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Whatever else is asked for: not there, said so once, without an error in the log."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)


def _is_there(user: User, pk: UUID) -> bool:
    return Conversation.objects.owned_by(user).filter(pk=pk).exists()


def _language(code: str) -> str:
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _frames_received(text: str | None) -> int | None:
    """The one thing that a page says: `{"received": 17}`. None when it is anything else."""
    if not text or len(text) > LONGEST_FRAME:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    received = message.get("received") if isinstance(message, dict) else None
    return received if type(received) is int and 0 <= received < 2**53 else None
