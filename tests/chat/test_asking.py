"""What does the portal say to a question? The codes that pages and scripts hold on to."""

from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, offer, send, until_ended
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.chat.models import Conversation, Message


async def test_a_first_question_leads_to_its_conversation(alice_async: AsyncClient, token: APIToken) -> None:
    response = await send(alice_async, "/conversations/", text="Hello")
    conversation = await Conversation.objects.aget()
    assert (response.status_code, response["Location"]) == (303, conversation.get_absolute_url())


async def test_htmx_is_sent_there_by_a_header(alice_async: AsyncClient, token: APIToken) -> None:
    response = await send(alice_async, "/conversations/", htmx=True, text="Hello")
    conversation = await Conversation.objects.aget()
    assert (response.status_code, response["HX-Redirect"]) == (200, conversation.get_absolute_url())


async def test_the_next_question_leads_back(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Hello")
    await until_ended(await last_answer(conversation))
    url = conversation.get_absolute_url()
    response = await send(alice_async, f"{url}messages/", text="More")
    assert (response.status_code, response["Location"]) == (303, url)


async def test_htmx_gets_a_fresh_composer(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Hello")
    await until_ended(await last_answer(conversation))
    sent = {"text": "More of that", "client_id": "b5ad9a5c-3a30-4a3c-9d6c-1c7f0f6a3a10"}
    response = await send(alice_async, f"{conversation.get_absolute_url()}messages/", htmx=True, **sent)
    html = response.content.decode()
    assert response.status_code == 200 and 'id="composer"' in html and "<html" not in html
    assert "More of that" not in html and sent["client_id"] not in html


async def test_a_conversation_waits_for_its_answer(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 300", model=slow)
    for htmx in (False, True):
        path = f"{conversation.get_absolute_url()}messages/"
        response = await send(alice_async, path, htmx=htmx, text="And then?")
        html = response.content.decode()
        assert response.status_code == 422
        assert "An answer is still arriving. Wait for it or stop it, then send this." in html
        assert "And then?</textarea>" in html
    assert await conversation.messages.acount() == 2


async def test_nothing_allocated_is_429_and_keeps_the_text(alice_async: AsyncClient) -> None:
    for htmx in (False, True):
        response = await send(alice_async, "/conversations/", htmx=htmx, text="My long thought")
        html = response.content.decode()
        assert response.status_code == 429
        assert "Nothing is allocated to you." in html and "My long thought</textarea>" in html
    assert not await Conversation.objects.aexists()


async def test_nothing_allocated_any_more_keeps_the_conversation(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "Hello")
    await until_ended(await last_answer(conversation))
    await APIToken.objects.aupdate(is_active=False)
    response = await send(alice_async, f"{conversation.get_absolute_url()}messages/", text="More")
    assert response.status_code == 429 and "More</textarea>" in response.content.decode()
    answer = await last_answer(conversation)
    again = await send(alice_async, f"/messages/{answer.pk}/answers/", htmx=True)
    assert (
        again.status_code == 429 and "No API token is in use for your allocation." in again.content.decode()
    )
    assert await conversation.messages.acount() == 2


async def test_the_conversation_keeps_its_parameters(alice_async: AsyncClient, token: APIToken) -> None:
    await offer("gpt-3.5-turbo")
    conversation = await begin(
        alice_async, "Hello", model="gpt-3.5-turbo", temperature="0.7", system="Be brief."
    )
    await until_ended(await last_answer(conversation))
    answer = await until_ended(await ask(alice_async, conversation, "And now?"))
    await conversation.arefresh_from_db()
    assert (conversation.temperature, conversation.system) == (0.7, "Be brief.")
    assert answer.model == "gpt-3.5-turbo"
    await until_ended(await ask(alice_async, conversation, "And now?", temperature="", system=""))
    await conversation.arefresh_from_db()
    assert (conversation.temperature, conversation.system) == (None, "")


async def test_line_breaks_and_blanks_of_a_question_stay(
    alice_async: AsyncClient, token: APIToken, alice: User
) -> None:
    conversation = await begin(alice_async, "\r\n  one\r\n\r\n\ttwo  \r\n")
    question = await Message.objects.aget(conversation=conversation, role="user")
    assert question.text == "  one\n\n\ttwo  "
