"""Does this token work? The upstream is asked for its models and for one word, and its answer is said in words."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import alarms, metering
from webchat.allocation.metering import Spent
from webchat.allocation.models import APIToken, UsageRecord
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database
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


async def probe(token: APIToken, asked_by: User) -> list[Finding]:
    """What the upstream says about this token: its list of models, and a chat of one token, which is recorded."""
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
    model = next((name for name in names if rules.kind_of(name) == "chat"), "")
    found = [Finding(bool(names), listed % {"count": len(names)})]
    return [*found, await _chat(token, client, asked_by, model)] if model else found


async def _chat(token: APIToken, client: UpstreamClient, asked_by: User, model: str) -> Finding:
    record = await in_database(
        UsageRecord.objects.create,
        user=asked_by,
        api_token=token,
        source=UsageRecord.Source.PROBE,
        model=model,
    )
    words, usage, problem, outcome = "", None, None, UsageRecord.Outcome.FAILED
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
        await in_database(metering.settle, record, Spent(outcome, usage))
    if problem:
        return await _refused(token, problem)
    await in_database(token.note_success)
    answered = _("“%(model)s” answers: “%(words)s”") if words else _("“%(model)s” answers, without a word.")
    return Finding(True, answered % {"model": model, "words": words})


async def _refused(token: APIToken, problem: UpstreamError | TimeoutError) -> Finding:
    if isinstance(problem, TimeoutError):
        return Finding(
            False, _("The AI service said nothing for %(seconds)d s.") % {"seconds": PATIENCE_SECONDS}
        )
    if problem.about_token:
        await in_database(alarms.token_refused, token, problem)
    return Finding(False, describe(problem.code, problem.params))
