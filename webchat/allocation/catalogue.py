"""Which models are there? The upstream's own list, kept; the document's list until it could be asked."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, ModelInfo
from webchat.allocation.vault import VaultLocked
from webchat.background import in_database
from webchat.upstream import rules
from webchat.upstream.errors import UpstreamError
from webchat.upstream.wire import Model

FRESH_FOR = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def chat_models() -> list[ModelInfo]:
    """The models one can talk to, in the upstream's order."""
    return list(ModelInfo.objects.offered().filter(kind="chat")) or _documented()


def _documented() -> list[ModelInfo]:
    return [
        ModelInfo(name=spec.id, owned_by=spec.vendor, kind=spec.kind, position=position)
        for position, spec in enumerate(rules.MODELS)
        if spec.kind == "chat"
    ]


def context_length(model: str) -> int:
    """What the model is known to take; of others the upstream knows, and says so."""
    documented = rules.CATALOGUE.get(model)
    return (
        ModelInfo.find(model).context_length
        or (documented.context_length if documented else 0)
        or int(rules.MAX_TOKENS.high)
    )


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
        models = await token.client().models()
    except (UpstreamError, VaultLocked) as error:
        logger.warning("The list of models could not be refreshed: %s", type(error).__name__)
        return False
    await in_database(keep, models)
    return True


@transaction.atomic
def keep(models: list[Model]) -> None:
    """Make the kept list equal to this one; models that are gone stay known but are not offered."""
    now = timezone.now()
    ModelInfo.objects.update(is_available=False)
    ModelInfo.objects.bulk_create(
        [
            ModelInfo(
                name=model.id[:200],
                owned_by=model.owned_by[:200],
                kind=rules.kind_of(model.id),
                position=position,
                is_available=True,
                seen_at=now,
            )
            for position, model in enumerate(models)
        ],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["owned_by", "kind", "position", "is_available", "seen_at"],
    )
