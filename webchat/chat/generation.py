"""How does an answer come about? A task that no socket owns takes it from prompt to last frame."""

import asyncio
import logging
import time
from contextlib import aclosing
from copy import copy
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from webchat import background
from webchat.accounts.sessions import Ticket
from webchat.allocation import alarms, catalogue, metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import APIToken
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database, look_up
from webchat.chat import access, events, keeping, live, markdown, mirror, prompt, titles
from webchat.chat.call import Call
from webchat.chat.events import Completed
from webchat.chat.models import Exchange, Message
from webchat.upstream.errors import BadSecret, ModelNotFound, UnknownProblem, UpstreamError
from webchat.upstream.wire import Message as ChatMessage

# A database that is locked or restarts gets so long before the end of an answer is given up.
SAVING_SECONDS = 30

logger = logging.getLogger(__name__)

_running: dict[UUID, tuple[Call, asyncio.Task[None]]] = {}


def start(exchange: Exchange, ticket: Ticket, messages: list[ChatMessage] | None = None) -> None:
    """From a view, after COMMIT: let the answers come. What was sent before is not asked again.

    The `ticket` is that of the session which asks; `messages` is the prompt, when it is known already.
    """
    if exchange.is_new:
        async_to_sync(_start)(exchange, ticket, messages)


async def _start(exchange: Exchange, ticket: Ticket, messages: list[ChatMessage] | None) -> None:
    answers = exchange.answers
    assert answers[0].usage is not None
    lives = [live.begin(answer.pk, answer.text) for answer in answers]
    call = Call(exchange.conversation, answers, lives, answers[0].usage, messages)
    access.asked(answers, ticket)
    access.watch()
    task = background.spawn(run(call), name=f"answer {answers[0].pk}")
    _running.update((answer.pk, (call, task)) for answer in answers)
    for answer in lives:
        mirror.publish(answer)
    await events.conversation_changed(exchange.conversation.pk, exchange)


def stop(answer: Message) -> None:
    """From a view: end this answer with the text it has."""
    Message.objects.running().filter(pk=answer.pk).update(stop_requested=True)
    async_to_sync(_stop)(answer)


async def _stop(answer: Message) -> None:
    if answer.pk in _running:
        _stop_here(*_running[answer.pk])
    elif answer.usage_id:
        await events.stop_wanted(answer.usage_id)


def _stop_here(call: Call, task: "asyncio.Task[None]") -> None:
    call.stopped = True
    task.cancel()


async def run(call: Call) -> None:
    """Own a call from prompt to end: whatever happens, its answers end and it is settled, once."""
    task = asyncio.current_task()
    assert task is not None
    for answer in call.lives:
        keeping.keep(answer, lambda: _stop_here(call, task))
    hearing = asyncio.create_task(_hear_stop(call, task))
    error: UpstreamError | None = None
    cancelled = False
    try:
        await _ask(call)
    except UpstreamError as problem:
        error = problem
    except asyncio.CancelledError:
        cancelled = True
    except Exception:
        logger.exception("An answer failed")
        error = UnknownProblem()
    finally:
        hearing.cancel()
        for answer in call.lives:
            keeping.leave(answer)
    # A second cancellation (stopped while saving, shutdown) must not get between an answer and its end.
    saving = _save(call, error, cancelled=cancelled)
    await asyncio.shield(background.spawn(saving, name="save an answer", saves=True))
    await _afterwards(call, error)


async def _ask(call: Call) -> None:
    if call.messages is None:
        call.messages = await look_up(prompt.to_answer, call.conversation, call.answers[0])
    while True:
        try:
            await _ask_with(call, call.token)
            return
        except UpstreamError as error:
            # What has come, a word or a bill, has come with this token.
            is_of_no_use = error.about_token and not call.has_begun
            if not is_of_no_use or not await in_database(_pass_over, call, error):
                raise


async def _ask_with(call: Call, token: APIToken) -> None:
    try:
        client = token.client(is_only=not call.record.has_spare)
    except VaultLocked:
        raise BadSecret from None
    async with aclosing(client.chat(call.request())) as arriving:
        async for event in arriving:
            call.take(event)


def _pass_over(call: Call, error: UpstreamError) -> bool:
    """Another token takes the place of the one that was refused; False when there is none."""
    alarms.token_refused(call.token, error)
    if not call.record.has_spare:
        return False
    with transaction.atomic():
        following = metering.pass_over(call.record, error.code, call.passed)
        if following is None:
            return False
        Message.objects.filter(usage=call.record).update(usage=following)
    call.go_on_with(following)
    return True


async def _hear_stop(call: Call, task: "asyncio.Task[None]") -> None:
    """The button may be pressed on a page of another process."""
    if settings.REDIS_URL:
        async with events.listen(events.stop_group(call.record.pk)) as heard:
            await heard.get()
            _stop_here(call, task)


async def _save(call: Call, error: UpstreamError | None, *, cancelled: bool) -> None:
    """Keep the last state of every answer, settle, and let readers know."""
    endings = [call.ending(number, error, cancelled=cancelled) for number in range(len(call.answers))]
    completed = None
    try:
        completed = await _finish_in_time(call, endings, call.spent(error, cancelled=cancelled))
    finally:
        # Saved or not, nobody works on them any more: what is not saved now is for the recovery to find.
        for current in call.lives:
            _running.pop(current.pk, None)
            current.end()
        await events.conversation_changed(call.conversation.pk, completed)


async def _finish_in_time(call: Call, endings: list[dict[str, Any]], spent: Spent) -> Completed | None:
    give_up_at = time.monotonic() + SAVING_SECONDS
    while True:
        try:
            return await in_database(_finish, call, endings, spent)
        except (InterfaceError, OperationalError):
            if time.monotonic() > give_up_at:
                logger.exception("The end of an answer could not be saved; it will be shown as interrupted")
                return None
            await asyncio.sleep(0.5)


def _finish(call: Call, endings: list[dict[str, Any]], spent: Spent) -> Completed | None:
    """What there is to tell, unless one has to look: somebody else may have ended an answer, and differently."""
    for answer, ending in zip(call.answers, endings, strict=True):
        # Asked to end, the process has no time for beauty: what is not drawn is drawn when it is shown.
        if "html" not in ending and not background.ending.is_set():
            ending.update(_drawn(answer, ending["text"]))
    with transaction.atomic():
        ended = [answer.end(**ending) for answer, ending in zip(call.answers, endings, strict=True)]
        metering.settle(call.record, spent)
    is_plain = all(ending["state"] == Message.State.COMPLETE and "html" in ending for ending in endings)
    return Completed(_as_saved(call, endings)) if is_plain and all(ended) else None


def _as_saved(call: Call, endings: list[dict[str, Any]]) -> list[Message]:
    answers = [copy(answer) for answer in call.answers]
    for answer, ending in zip(answers, endings, strict=True):
        for name, value in ending.items():
            setattr(answer, name, value)
        answer.usage = call.record
    return answers


def _drawn(answer: Message, text: str) -> dict[str, Any]:
    try:
        html = markdown.render(text, answer.pk.hex[:8])
    except Exception:
        # The text matters; it is drawn again whenever it is shown.
        logger.exception("An answer could not be drawn")
        return {}
    return {"html": html, "renderer_version": markdown.RENDERER_VERSION}


async def _afterwards(call: Call, error: UpstreamError | None) -> None:
    if error and error.about_token and call.has_begun:
        await in_database(alarms.token_refused, call.token, error)
    if isinstance(error, ModelNotFound):
        await catalogue.refresh(call.conversation.owner)
    if error is None and call.finished:
        if call.token.last_error:
            await in_database(call.token.note_success)
        await titles.give(call)
