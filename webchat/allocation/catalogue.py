"""Which models are there? The upstream's own list, kept; the document's list until it could be asked."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import alarms
from webchat.allocation.models import Allocation, APIToken, ModelInfo
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database
from webchat.upstream import rules
from webchat.upstream.errors import EmptyAnswer, UpstreamError
from webchat.upstream.wire import Model

FRESH_FOR = timedelta(minutes=10)
# Somebody is waiting for it.
PATIENCE_SECONDS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changes:
    """By how much the upstream's list differs from the one before: names, in the upstream's order."""

    new: list[str]
    gone: list[str]
    count: int

    @property
    def sentences(self) -> list[str]:
        listed = ngettext("It lists %(count)d model.", "It lists %(count)d models.", self.count)
        said = [listed % {"count": self.count}]
        if self.new:
            said.append(_("New: %(names)s") % {"names": ", ".join(self.new)})
        if self.gone:
            said.append(_("Gone: %(names)s") % {"names": ", ".join(self.gone)})
        return said if self.new or self.gone else [*said, _("Nothing has changed.")]


class CannotAsk(Exception):
    """No token could be used to ask, with a sentence that says why."""


def chat_models() -> list[ModelInfo]:
    """The models one can talk to, in the upstream's order."""
    return list(ModelInfo.objects.offered().filter(kind=ModelInfo.Kind.CHAT))


def is_stale() -> bool:
    return not ModelInfo.objects.filter(seen_at__gt=timezone.now() - FRESH_FOR).exists()


async def refresh(user: User) -> bool:
    """Ask the upstream with this person's token and keep its answer; tells whether it could be asked."""
    token = await in_database(token_of, user)
    return token is not None and await refresh_with(token)


def token_of(user: User) -> APIToken | None:
    """The token with which this person's next call would be made."""
    return next((token for one in Allocation.objects.open_to(user) for token in one.tokens), None)


async def refresh_with(token: APIToken) -> bool:
    try:
        await synchronise(token)
    except (UpstreamError, VaultLocked) as error:
        logger.warning("The list of models could not be refreshed: %s", type(error).__name__)
        return False
    return True


async def ask_any() -> Changes:
    """Ask with the first token with which that can be done, and keep the answer. Raises `CannotAsk`."""
    sentence = _("There is no API token that is in use.")
    for token in await in_database(_all_usable):
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await synchronise(token)
        except UpstreamError as problem:
            sentence = str(problem)
            if problem.about_token:
                await in_database(alarms.token_refused, token, problem)
        except VaultLocked:
            sentence = _("VAULT_KEYS does not open this token. Enter it again.")
        except TimeoutError:
            sentence = _("The AI service said nothing for %(seconds)d s.") % {"seconds": PATIENCE_SECONDS}
        sentence = f"{token}: {sentence}"
    raise CannotAsk(sentence)


def _all_usable() -> list[APIToken]:
    return sorted(APIToken.objects.usable(), key=lambda token: token.is_in_trouble)


async def synchronise(token: APIToken) -> Changes:
    """Ask the upstream and keep its answer. Raises `UpstreamError`, `VaultLocked`."""
    models = await token.client().models()
    if not models:
        # Nobody could ask anything any more.
        raise EmptyAnswer
    return await in_database(keep, models)


@transaction.atomic
def keep(models: list[Model]) -> Changes:
    """Make the kept list equal to this one. What is gone stays known; what an admin has set stays as it is."""
    before = set(ModelInfo.objects.filter(is_available=True).values_list("name", flat=True))
    now = timezone.now()
    ModelInfo.objects.update(is_available=False)
    listed = [
        ModelInfo.of(
            rules.known(model.id[:200]), owned_by=model.owned_by[:200], position=position, seen_at=now
        )
        for position, model in enumerate(models)
    ]
    ModelInfo.objects.bulk_create(
        listed,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["owned_by", "position", "is_available", "seen_at"],
    )
    names = [model.name for model in listed]
    gone = ModelInfo.objects.filter(name__in=before.difference(names))
    new = [name for name in names if name not in before]
    return Changes(new, [model.name for model in gone], len(names))
