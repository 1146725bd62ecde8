"""Whatever goes wrong at the end of an answer: it ends, sooner or later, and the conversation goes on."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from tests.chat.asking import ask, begin, last_answer, until_ended
from webchat import background
from webchat.allocation.models import APIToken, UsageRecord
from webchat.chat import live, recovery
from webchat.chat.models import Message

REFUSE = """CREATE TRIGGER refuse_the_end BEFORE UPDATE OF ended_at ON chat_message
            BEGIN SELECT RAISE(ABORT, 'refused'); END"""


@sync_to_async
def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The trigger is written for SQLite")
async def test_an_end_that_the_database_refuses_is_made_up_for(
    alice_async: AsyncClient, token: APIToken, caplog: pytest.LogCaptureFixture
) -> None:
    await run(REFUSE)
    try:
        conversation = await begin(alice_async, "Say this is a test!")
        answer = await last_answer(conversation)
        await background.drain(5)
    finally:
        await run("DROP TRIGGER refuse_the_end")
    assert any(record.levelname == "ERROR" for record in caplog.records)
    assert live.find(answer.pk) is None
    await Message.objects.filter(pk=answer.pk).aupdate(heartbeat_at=timezone.now() - timedelta(minutes=1))
    await sync_to_async(recovery.end_lost_answers)()
    assert (await until_ended(answer)).state == "interrupted"
    assert not await UsageRecord.objects.filter(outcome="reserved").aexists()
    following = await until_ended(await ask(alice_async, conversation, "Say this is a test!"))
    assert following.state == "complete"


async def test_a_portal_that_ends_interrupts_and_keeps(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 400", model=slow)
    await background.in_database(lambda: None)
    await background.drain(5, cancel=True)
    answer = await last_answer(conversation)
    assert answer.state == "interrupted" and live.find(answer.pk) is None
    assert (await UsageRecord.objects.aget()).outcome == "interrupted"


async def test_a_person_who_is_deleted_takes_the_answer_along(alice_async: AsyncClient, slow: str) -> None:
    conversation = await begin(alice_async, "Count to 400", model=slow)
    answer = await last_answer(conversation)
    await conversation.adelete()
    await background.drain(5)
    assert live.find(answer.pk) is None
    assert (await UsageRecord.objects.aget()).outcome in ("stopped", "interrupted")
