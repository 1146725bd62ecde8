"""What arrives is written down; who has ended by itself is not ended again."""

import asyncio

from asgiref.sync import sync_to_async

from tests.chat.history import tell
from webchat.accounts.models import User
from webchat.allocation.models import APIToken
from webchat.chat import keeping, prompt
from webchat.chat.live import LiveAnswer
from webchat.chat.models import Conversation, Message


def arriving(alice: User, text: str = "") -> Message:
    conversation = tell(alice, "one", "two", "three")
    answer = Message(
        conversation=conversation,
        role="assistant",
        position=4,
        parent_id=conversation.leaf_id,
        asked_by=alice,
        state="pending",
        text=text,
    )
    answer.save()
    Conversation.objects.filter(pk=conversation.pk).update(leaf=answer)
    return answer


async def test_all_that_arrives_is_kept_with_one_look(transactional_db: None, alice: User) -> None:
    answers = [await sync_to_async(arriving)(alice) for _ in range(3)]
    lives = [LiveAnswer(answer.pk) for answer in answers]
    given_up: list[Message] = []
    for answer, live in zip(answers, lives, strict=True):
        keeping.keep(live, lambda answer=answer: given_up.append(answer))
        live.append(0, f"text of {answer.pk}")
    await sync_to_async(Message.objects.filter(pk=answers[1].pk).update)(stop_requested=True)
    await keeping.now()
    kept = {one.pk: one async for one in Message.objects.running()}
    assert [kept[answer.pk].text for answer in answers] == [f"text of {answer.pk}" for answer in answers]
    assert {one.state for one in kept.values()} == {"streaming"}
    assert given_up == [answers[1]]
    for live in lives:
        keeping.leave(live)


async def test_who_ends_while_it_is_looked_at_is_not_given_up(transactional_db: None, alice: User) -> None:
    answer = await sync_to_async(arriving)(alice)
    live = LiveAnswer(answer.pk)
    given_up: list[str] = []
    keeping.keep(live, lambda: given_up.append("given up"))
    await sync_to_async(answer.end)("complete", text="all")
    looking = asyncio.create_task(keeping.now())
    await asyncio.sleep(0)
    keeping.leave(live)
    await looking
    assert given_up == []


def test_an_answer_that_still_arrives_is_not_all_that_was_said(alice: User, token: APIToken) -> None:
    answer = arriving(alice, "The first half")
    said = prompt.said(answer.conversation, answer.pk)
    assert said.messages[-1].content == "The first half" and not said.is_final
    answer.end("complete", text="The first half and the second")
    assert prompt.said(answer.conversation, answer.pk).is_final
