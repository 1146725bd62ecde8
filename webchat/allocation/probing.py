"""Does this token work? The upstream is asked for its models and for one word, and its answer is said in words."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import alarms, metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import APIToken, ModelInfo, UsageRecord
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database, look_up
from webchat.upstream import rules
from webchat.upstream.client import UpstreamClient
from webchat.upstream.errors import EmptyAnswer, UpstreamError, describe
from webchat.upstream.wire import ChatRequest, Delta, Message, Usage

# Somebody is waiting for it.
PATIENCE_SECONDS = 20
QUESTION = [Message("user", "Hi")]


@dataclass(frozen=True)
class Finding:
    """What one question to the upstream brought."""

    is_good: bool
    sentence: str


async def probe(token: APIToken, asked_by: User | None = None) -> list[Finding]:
    """What the upstream says about this token: its list of models, and a chat of one token, which is recorded.

    Some list their models to anybody, so the chat is what counts.
    """
    try:
        client = token.client()
    except VaultLocked:
        return [Finding(False, _("VAULT_KEYS does not open this token. Enter it again."))]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            names = [model.id for model in await client.models()]
    except (UpstreamError, TimeoutError) as problem:
        return [await _refused(token, problem)]
    listed = ngettext("It lists %(count)d model.", "It lists %(count)d models.", len(names))
    found = [Finding(bool(names), listed % {"count": len(names)})]
    if model := await look_up(_model_to_ask, token, names):
        return [*found, await _chat(token, client, asked_by, model)]
    if names:
        await in_database(token.note_success)
    return found


def _model_to_ask(token: APIToken, names: list[str]) -> str:
    """The one for which the token was refused; otherwise one that is cheap, and offered if any is."""
    refused = UsageRecord.objects.none()
    if token.last_error_at:
        since = token.last_error_at - timedelta(minutes=1)
        refused = token.usage.filter(error_code=token.last_error, created_at__gte=since)
    chat = ModelInfo.objects.offered().filter(kind=ModelInfo.Kind.CHAT, name__in=names)
    wanted = [
        *refused.values_list("model", flat=True)[:1],
        *chat.order_by("completion_price", "position").values_list("name", flat=True)[:1],
        *(name for name in names if rules.kind_of(name) == "chat"),
    ]
    return next((name for name in wanted if name in names), "")


async def _chat(token: APIToken, client: UpstreamClient, asked_by: User | None, model: str) -> Finding:
    record = await in_database(_record, token, asked_by, model)
    words, usage, outcome = "", None, UsageRecord.Outcome.FAILED
    problem: UpstreamError | TimeoutError | None = None
    try:
        request = ChatRequest(model=model, messages=QUESTION, max_tokens=1, stream=False)
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(client.chat(request)) as arriving:
            async for event in arriving:
                if isinstance(event, Delta):
                    words += event.text
                elif isinstance(event, Usage):
                    usage = event
        outcome = UsageRecord.Outcome.COMPLETE
    except EmptyAnswer:
        # One token may be no word yet; the upstream took the question all the same.
        outcome = UsageRecord.Outcome.COMPLETE
    except (UpstreamError, TimeoutError) as error:
        problem = error
    finally:
        code = problem.code if isinstance(problem, UpstreamError) else ""
        await in_database(metering.settle, record, Spent(outcome, usage, error_code=code))
    if problem:
        return await _refused(token, problem)
    await in_database(token.note_success)
    answered = _("“%(model)s” answers: “%(words)s”") if words else _("“%(model)s” answers, without a word.")
    return Finding(True, answered % {"model": model, "words": words})


def _record(token: APIToken, asked_by: User | None, model: str) -> UsageRecord:
    prices = ModelInfo.find(model).prices
    return UsageRecord.objects.create(
        user=asked_by, api_token=token, source=UsageRecord.Source.PROBE, model=model, **prices
    )


async def _refused(token: APIToken, problem: UpstreamError | TimeoutError) -> Finding:
    if isinstance(problem, TimeoutError):
        return Finding(
            False, _("The AI service said nothing for %(seconds)d s.") % {"seconds": PATIENCE_SECONDS}
        )
    if problem.about_token:
        await in_database(alarms.token_refused, token, problem)
    return Finding(False, describe(problem.code, problem.params))
