"""Asking as a browser does, and waiting for what comes of it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient
from django.utils import timezone

from webchat.allocation.models import ModelInfo
from webchat.asgi import application
from webchat.background import in_database
from webchat.chat.models import Conversation, Message


async def begin(client: AsyncClient, text: str, **fields: Any) -> Conversation:
    """A new conversation with its first question."""
    sent = {"text": text, "client_id": str(uuid.uuid4()), "model": "gpt-4", **fields}
    response = await client.post("/conversations/", sent)
    assert response.status_code == 303, (response.status_code, response.headers, response.content.decode())
    pk = response.headers["Location"].rstrip("/").rpartition("/")[2]
    return await Conversation.objects.aget(pk=pk)


async def ask(client: AsyncClient, conversation: Conversation, text: str, **fields: Any) -> Message:
    """The next question; returns the answer that is to come."""
    sent = {"text": text, "client_id": str(uuid.uuid4()), **fields}
    response = await client.post(f"/conversations/{conversation.pk}/messages/", sent)
    assert response.status_code == 303, (response.status_code, response.headers, response.content.decode())
    return await last_answer(conversation)


async def send(client: AsyncClient, path: str, *, htmx: bool = False, **fields: Any) -> HttpResponse:
    """One POST of a form, with an id of its own unless another one is given."""
    headers = {"HX-Request": "true"} if htmx else {}
    return await client.post(path, {"client_id": str(uuid.uuid4()), **fields}, headers=headers)


async def offer(*names: str) -> None:
    """Have these models listed, besides gpt-4; a name ending in `@20ms` makes the demo take its time."""
    for position, name in enumerate(("gpt-4", *names)):
        known = {"kind": "chat", "position": position, "seen_at": timezone.now()}
        await ModelInfo.objects.aupdate_or_create(name=name, defaults=known)


async def last_answer(conversation: Conversation) -> Message:
    return await conversation.messages.filter(role="assistant").select_related("usage").alast()


async def until(is_so: Callable[[], bool | Awaitable[bool]], seconds: float = 6) -> None:
    """Wait for something that nobody tells."""
    async with asyncio.timeout(seconds):
        while True:
            found = is_so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


async def until_ended(message: Message, seconds: float = 15) -> Message:
    """The answer in its last state."""
    async with asyncio.timeout(seconds):
        while True:
            found = await in_database(Message.objects.select_related("usage").get, pk=message.pk)
            if not found.is_running:
                return found
            await asyncio.sleep(0.02)


async def until_text(message: Message, length: int, seconds: float = 10) -> Message:
    """The answer when at least so much of it has been kept."""
    async with asyncio.timeout(seconds):
        while True:
            found = await in_database(Message.objects.get, pk=message.pk)
            if len(found.text) >= length or not found.is_running:
                return found
            await asyncio.sleep(0.02)


def socket(client: AsyncClient | None, conversation: Conversation, query: str = "") -> WebsocketCommunicator:
    """A page's socket, with the cookies of this browser."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()) if client else ""
    headers = [
        (b"cookie", cookies.encode()),
        (b"origin", settings.SITE_URL.encode()),
        (b"host", b"testserver"),
    ]
    return WebsocketCommunicator(application, f"/ws/conversations/{conversation.pk}/{query}", headers=headers)
