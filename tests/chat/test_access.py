"""Access ends at once: sockets are closed and answers stop within two seconds, whichever way it ends."""

import asyncio
import time

from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries

from tests.chat.asking import ask, begin, last_answer, send, until, until_ended, until_text
from tests.chat.history import tell
from tests.chat.tab import Tab
from tests.chat.test_signed_out import SENTENCE
from tests.chat.ways_out import (
    GOES_ON,
    STAYS,
    WAYS,
    Person,
    Way,
    lose_the_session,
    rotate_the_token,
    sign_out,
)
from webchat.accounts.models import User
from webchat.accounts.sessions import Ticket
from webchat.allocation.models import APIToken
from webchat.chat import access
from webchat.chat.models import Conversation, Message
from webchat.demo.server import DemoServer

COUNT = "Count to 400"
# Promised are two seconds; the machine may be busy, and all ways are gone at the same time.
SECONDS = 4


async def test_every_way_out(alice_async: AsyncClient, slow: str, upstream: DemoServer) -> None:
    people = [await Person.arrive(f"person{number}", upstream.url) for number in range(len(WAYS))]
    outcomes = await asyncio.gather(
        *(go(way, person, slow) for way, person in zip(WAYS, people, strict=True))
    )
    expected = {way.act.__name__: (way.socket, way.answer, "in time") for way in WAYS}
    assert dict(zip(expected, outcomes, strict=True)) == expected


async def go(way: Way, person: Person, model: str) -> tuple[int | None, str, str]:
    """What became of the socket and of the answer, and whether it did so in time."""
    conversation = await begin(person.browser, COUNT, model=model)
    async with Tab(person.browser, conversation) as tab:
        await tab.until_shown(5)
        await way.act(person, conversation)
        began = time.monotonic()
        if (way.socket, way.answer) == (STAYS, GOES_ON):
            await asyncio.sleep(SECONDS / 2)
        while time.monotonic() < began + SECONDS:
            state = (await Message.objects.aget(conversation=conversation, role="assistant")).state
            if (tab.closed_with, state) == (way.socket, way.answer):
                break
            await asyncio.sleep(0.1)
        took = time.monotonic() - began
        assert await is_silent(tab) if way.socket else await still_hears(tab, way.answer)
        return tab.closed_with, state, "in time" if took < SECONDS else f"after {took:.1f} s"


async def is_silent(tab: Tab) -> bool:
    """No chunk is delivered any more."""
    await asyncio.sleep(0.2)
    assert tab._connection
    said = [tab._connection.output_queue.get_nowait() for _ in range(tab._connection.output_queue.qsize())]
    return "websocket.send" not in {event["type"] for event in said}


async def still_hears(tab: Tab, state: str) -> bool:
    if state == GOES_ON:
        await tab.until_shown(len(tab.page.texts()[-1]) + 10)
    else:
        await tab.until(lambda tab: tab.page.states()[-1] == state)
    return tab.closed_with is None


async def test_what_the_session_asked_stops_and_is_kept(
    alice_async: AsyncClient, slow: str, upstream: DemoServer
) -> None:
    person = await Person.arrive("ada", upstream.url)
    phone = await person.elsewhere()
    conversation = await begin(person.browser, COUNT, model=slow)
    kept = await until_text(await last_answer(conversation), 10)
    here = upstream.requests[-1]
    there = await begin(phone, COUNT, model=slow)
    await sign_out(person, conversation)
    answer = await until_ended(kept)
    assert (answer.state, answer.error_code) == ("interrupted", "signed_out")
    assert answer.text.startswith(kept.text)
    assert await here.ended(3) and here.aborted
    assert (await last_answer(there)).is_running


async def test_after_a_lost_session_the_whole_answer_is_there(
    alice_async: AsyncClient, brisk: str, upstream: DemoServer
) -> None:
    person = await Person.arrive("ada", upstream.url)
    conversation = await begin(person.browser, "Count to 150", model=brisk)
    async with Tab(person.browser, conversation) as tab:
        await lose_the_session(person, conversation)
        await until(lambda: tab.closed_with == 4401)
    answer = await until_ended(await last_answer(conversation))
    assert answer.state == "complete" and answer.text.endswith("150")
    async with Tab(await person.elsewhere(), conversation) as tab:
        assert tab.page.texts()[-1].endswith("150")


async def test_a_token_that_was_taken_away_is_said_to_be_so(
    alice_async: AsyncClient, slow: str, token: APIToken
) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    async with Tab(alice_async, conversation) as tab:
        await tab.until_shown(5)
        await APIToken.objects.filter(pk=token.pk).aupdate(is_active=False)
        await tab.until_ended()
        assert tab.page.states()[-1] == "interrupted"
        assert "The API token of this answer was taken out of use." in "".join(tab.frames[-2:])


async def test_after_a_rotation_the_next_call_uses_the_new_token(
    alice_async: AsyncClient, brisk: str, upstream: DemoServer
) -> None:
    person = await Person.arrive("ada", upstream.url)
    conversation = await begin(person.browser, "Count to 50", model=brisk)
    await rotate_the_token(person, conversation)
    assert (await until_ended(await last_answer(conversation))).state == "complete"
    await until_ended(await ask(person.browser, conversation, "Say this is a test!", model="gpt-4"))
    used = [
        request.headers["authorization"] for request in upstream.requests if "Say this" in str(request.body)
    ]
    assert all(secret.endswith(person.token.last_four) for secret in used) and used


async def test_the_next_post_of_somebody_deactivated_is_refused_kindly(
    alice_async: AsyncClient, alice: User, slow: str
) -> None:
    conversation = await begin(alice_async, COUNT, model=slow)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    for path in ("/conversations/", f"{conversation.get_absolute_url()}messages/"):
        response = await send(alice_async, path, htmx=True, text="My long thought")
        assert response.status_code == 401 and SENTENCE in response.content.decode()
        assert "composer" not in response.content.decode(), "the page keeps its own, with the text in it"
    assert await Message.objects.filter(role="user").acount() == 1


async def test_a_socket_of_half_a_day_is_asked_to_come_back(alice_async: AsyncClient, alice: User) -> None:
    conversation = await Conversation.objects.acreate(owner=alice, model="gpt-4", title="Old")
    async with Tab(alice_async, conversation) as tab:
        await until(lambda: conversation.pk in {visit.conversation_pk for visit in access._visits})
        (visit,) = (one for one in access._visits if one.conversation_pk == conversation.pk)
        visit.opened_at -= access.OLDEST_SECONDS
        await until(lambda: tab.closed_with == 4012)


def test_a_thousand_sockets_are_looked_at_in_three_queries(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = tell(alice, "Question", "Answer")

    async def never(code: int) -> None:
        raise AssertionError(code)

    tickets = [Ticket.of(as_alice.session, alice) for _ in range(1000)]
    visits = [access.Visit(ticket, conversation.pk, never) for ticket in tickets]
    with django_assert_num_queries(3):
        sockets_over, _answers_over = access._judge(visits, {})
    assert sockets_over == []
