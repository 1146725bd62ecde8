"""An answer needs nobody to watch it: it arrives without a socket, without its page, without its request."""

import asyncio
import uuid
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, until_ended
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.asgi import application
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer

COUNT = "Count to 100"
COUNTED = ", ".join(map(str, range(1, 101)))


async def test_without_any_socket(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    answer = await until_ended(await last_answer(conversation))
    assert (answer.state, answer.text) == ("complete", COUNTED)


async def test_a_socket_that_closes_in_the_middle(
    alice_async: AsyncClient, brisk: str, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    async with Tab(alice_async, conversation) as tab:
        await tab.until_shown(20)
    answer = await until_ended(await last_answer(conversation))
    assert (answer.state, answer.text) == ("complete", COUNTED)
    assert not upstream.requests[0].aborted


async def test_signing_out_in_the_middle(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, COUNT, model=brisk)
    await alice_async.alogout()
    assert (await until_ended(await last_answer(conversation))).text == COUNTED


async def test_a_browser_that_leaves_while_it_asks(
    alice_async: AsyncClient, alice: User, token: APIToken
) -> None:
    conversation = await Conversation.objects.acreate(owner=alice, model="gpt-4")
    path = f"{conversation.get_absolute_url()}messages/"
    await alice_async.get(conversation.get_absolute_url())
    for patience in (0, 0.005, 0.02, 0.05):
        await _ask_and_leave(alice_async, path, patience)
    for answer in [one async for one in Message.objects.filter(role="assistant")]:
        assert (await until_ended(answer, 5)).state == "complete"


async def _ask_and_leave(client: AsyncClient, path: str, patience: float) -> None:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    body = urlencode({"text": "Say this is a test!", "client_id": uuid.uuid4()}).encode()
    headers = {
        "cookie": cookies,
        "host": "testserver",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
        "x-csrftoken": client.cookies[settings.CSRF_COOKIE_NAME].value,
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    request = ApplicationCommunicator(application, scope)
    await request.send_input({"type": "http.request", "body": body})
    await asyncio.sleep(patience)
    await request.send_input({"type": "http.disconnect"})
    await request.wait(5)
    # Whatever had been accepted goes on; only then is the next one asked.
    async for answer in Message.objects.filter(role="assistant"):
        await until_ended(answer, 5)
