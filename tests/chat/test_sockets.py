"""Who may open a socket, and what does it say first? Refusals come as close codes, after the handshake."""

import uuid

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import AsyncClient

from tests.chat.asking import begin, last_answer, send, socket, until_ended
from tests.chat.history import tell
from tests.chat.tab import Tab
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.asgi import application
from webchat.chat.models import Conversation


async def code(connection: WebsocketCommunicator) -> int:
    """With what a connection is closed once it was accepted."""
    accepted, _protocol = await connection.connect(timeout=5)
    assert accepted
    event = await connection.receive_output(timeout=5)
    assert event["type"] == "websocket.close"
    return event["code"]


async def conversation_of(owner: User) -> Conversation:
    return await Conversation.objects.acreate(owner=owner, model="gpt-4", title="Theirs")


async def test_not_signed_in_is_4401(alice_async: AsyncClient, alice: User) -> None:
    assert await code(socket(None, await conversation_of(alice))) == 4401
    await alice_async.alogout()
    assert await code(socket(alice_async, await conversation_of(alice))) == 4401


async def test_what_is_not_mine_and_what_is_not_there_is_4404(alice_async: AsyncClient, bob: User) -> None:
    assert await code(socket(alice_async, await conversation_of(bob))) == 4404
    assert await code(socket(alice_async, Conversation(pk=uuid.uuid4()))) == 4404


async def test_a_deleted_conversation_is_4404(alice_async: AsyncClient, alice: User) -> None:
    conversation = await conversation_of(alice)
    await send(alice_async, f"{conversation.get_absolute_url()}delete/")
    assert await code(socket(alice_async, conversation)) == 4404


@pytest.mark.parametrize(
    "path", ["/ws/", "/", "/ws/conversations/", "/ws/conversations/1/", "/conversations/"]
)
async def test_an_unknown_path_is_4404(db: None, path: str) -> None:
    headers = [(b"origin", settings.SITE_URL.encode()), (b"host", b"testserver")]
    assert await code(WebsocketCommunicator(application, path, headers=headers)) == 4404


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://testserver.evil.example",
        "http://testserver:9999",
        "https://testserver",
        "ftp://testserver",
        "null",
        None,
    ],
)
async def test_a_foreign_page_gets_no_socket(
    alice_async: AsyncClient, alice: User, origin: str | None
) -> None:
    connection = socket(alice_async, await conversation_of(alice))
    others = [(name, value) for name, value in connection.scope["headers"] if name != b"origin"]
    connection.scope["headers"] = others + ([(b"origin", origin.encode())] if origin else [])
    accepted, _code = await connection.connect(timeout=5)
    assert not accepted


async def test_the_first_frame_is_what_there_is(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    answer = await until_ended(await last_answer(conversation))
    connection = socket(alice_async, conversation)
    await connection.connect(timeout=5)
    frame = await connection.receive_from(timeout=5)
    assert f'id="message-{answer.pk}"' in frame and 'data-role="assistant" data-state="complete"' in frame
    assert 'class="message-body' in frame and "This is a test!" in frame
    await connection.disconnect()


async def test_frames_tell_each_state_of_an_answer(alice_async: AsyncClient, brisk: str) -> None:
    conversation = await begin(alice_async, "Echo: before")
    await until_ended(await last_answer(conversation))
    async with Tab(alice_async, conversation) as tab:
        await send(
            alice_async, f"{conversation.get_absolute_url()}messages/", text="Count to 100", model=brisk
        )
        answer = await last_answer(conversation)
        await tab.until(lambda tab: len(tab.page.messages()) == 4)
        await tab.until_ended()
        told = "".join(tab.frames)
        assert tab.page.states() == ["complete"] * 4
        assert f'id="message-{answer.pk}" data-role="assistant" data-state="streaming"' in told
        assert f'id="message-{answer.pk}" data-role="assistant" data-state="complete"' in told


@pytest.mark.parametrize("language", ["zh-hans", "en", "xx", "", "../../etc", "%00"])
async def test_frames_are_in_the_language_that_was_asked_for(
    alice_async: AsyncClient, alice: User, language: str
) -> None:
    conversation = await _told(alice)
    connection = socket(alice_async, conversation, f"?language={language}")
    await connection.connect(timeout=5)
    frame = await connection.receive_from(timeout=5)
    # Dates are written as the language does.
    assert ("年" in frame) is (language == "zh-hans")
    await connection.disconnect()


@sync_to_async
def _told(alice: User) -> Conversation:
    conversation = tell(alice, "Hello", "Hi")
    conversation.messages.filter(role="assistant").update(state="stopped")
    return conversation


async def test_deleted_elsewhere_the_page_is_told(alice_async: AsyncClient, alice: User) -> None:
    conversation = await sync_to_async(tell)(alice, "Question", "Answer")
    connection = socket(alice_async, conversation)
    await connection.connect()
    await alice_async.post(f"/conversations/{conversation.pk}/delete/")
    while (event := await connection.receive_output(timeout=5))["type"] == "websocket.send":
        pass
    assert (event["type"], event["code"]) == ("websocket.close", 4404)
