"""A question is asked, and its answer arrives, whoever is watching."""

from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, until_ended
from webchat.allocation.models import APIToken, UsageRecord
from webchat.demo.server import DemoServer


async def test_an_answer_arrives_and_is_kept(alice_async: AsyncClient, token: APIToken) -> None:
    conversation = await begin(alice_async, "Say this is a test!")
    answer = await until_ended(await last_answer(conversation))
    assert (answer.state, answer.text, answer.finish_reason) == ("complete", "This is a test!", "stop")
    assert "This is a test!" in answer.html


async def test_the_model_reads_the_conversation_so_far(
    alice_async: AsyncClient, token: APIToken, upstream: DemoServer
) -> None:
    conversation = await begin(alice_async, "My name is Ada.", system="You are a pirate.")
    await until_ended(await last_answer(conversation))
    answer = await until_ended(await ask(alice_async, conversation, "What is my name?"))
    assert "Ada" in answer.text


async def test_a_call_is_settled_once_with_the_reported_numbers(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "Say this is a test!", model="gpt-3.5-turbo")
    answer = await until_ended(await last_answer(conversation))
    usage = await UsageRecord.objects.aget(source="chat")
    assert answer.usage == usage
    assert (usage.outcome, usage.origin) == ("complete", "reported")
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
