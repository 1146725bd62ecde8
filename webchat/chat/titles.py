"""What is a conversation called? The model makes a title from the first exchange; a person's own stays."""

import asyncio
import logging
from contextlib import aclosing

import msgspec
from django.db import transaction

from webchat.allocation import metering
from webchat.allocation.models import Need, UsageRecord
from webchat.allocation.refusals import Refused
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database
from webchat.chat import events, prompt, thread
from webchat.chat.call import Call
from webchat.chat.models import Conversation
from webchat.upstream import tokens
from webchat.upstream.client import UpstreamClient
from webchat.upstream.errors import UpstreamError
from webchat.upstream.wire import ChatRequest, Delta, Usage
from webchat.upstream.wire import Message as ChatMessage

MOST_TOKENS = 60
LONGEST = 80
PATIENCE_SECONDS = 60

logger = logging.getLogger(__name__)


async def give(call: Call) -> None:
    """Entitle a conversation after its first answer; without success the first title stays."""
    first = call.answers[0]
    question = first.parent
    is_first = question is not None and question.parent_id is None
    if question is None or not is_first or call.conversation.titled_by != Conversation.TitledBy.QUESTION:
        return
    mark_before = thread.header_mark(call.conversation.title, call.conversation.model)
    messages = prompt.for_title(question.text, call.lives[0].text)
    try:
        record, client = await in_database(_reserve, call.conversation, messages)
    except (Refused, VaultLocked):
        return
    title, usage, outcome = "", None, UsageRecord.Outcome.FAILED
    request = ChatRequest(model=first.model, messages=messages, max_tokens=MOST_TOKENS, stream=False)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(client.chat(request)) as arriving:
            async for event in arriving:
                if isinstance(event, Delta) and event.index == 0:
                    title += event.text
                elif isinstance(event, Usage):
                    usage = event
        outcome = UsageRecord.Outcome.COMPLETE
    except UpstreamError as error:
        logger.info("No title was made: %s", error.code)
    except TimeoutError:
        logger.info("No title was made in time")
    finally:
        estimate = tokens.estimate_messages(msgspec.to_builtins(messages)) if title else 0
        spent = metering.Spent(outcome, usage, estimate, tokens.estimate(title))
        is_new = await in_database(_settle, record, spent, call.conversation, clean(title))
    if is_new:
        await events.conversation_changed(
            call.conversation.pk, events.Entitled(call.conversation, mark_before=mark_before)
        )


@transaction.atomic
def _settle(record: UsageRecord, spent: metering.Spent, conversation: Conversation, title: str) -> bool:
    # In the order in which a question takes its locks, or the two could wait for each other.
    is_new = bool(title) and conversation.entitle(title)
    metering.settle(record, spent)
    return is_new


@transaction.atomic
def _reserve(conversation: Conversation, messages: list[ChatMessage]) -> tuple[UsageRecord, UpstreamClient]:
    need = Need(tokens.estimate_messages(msgspec.to_builtins(messages)), MOST_TOKENS)
    record = metering.reserve(
        conversation.owner, source=UsageRecord.Source.TITLE, model=conversation.model, need=need
    )
    return record, record.api_token.client()


def clean(title: str) -> str:
    """One line without the quotes and the full stop that models like to add; empty when it is no title."""
    line = next((line.strip() for line in title.splitlines() if line.strip()), "")
    line = line.replace("**", "").strip("\"'“”‘’《》「」#* ").rstrip(".。").strip()
    return line if len(line) <= LONGEST else ""
