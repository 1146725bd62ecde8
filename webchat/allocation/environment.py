"""What does the environment bring? `UPSTREAM_API_KEY`: the first token, for everyone."""

from django.conf import settings
from django.db import transaction

from webchat.allocation.models import (
    Allocation,
    APIToken,
    ChosenToken,
    fingerprint,
    validate_base_url,
)


@transaction.atomic
def import_token() -> APIToken | None:
    """Keep `UPSTREAM_API_KEY` as the token of everyone, unless an admin has given everyone another one."""
    secret = settings.UPSTREAM_API_KEY
    if not secret or not settings.UPSTREAM_BASE_URL:
        return None
    token = APIToken.objects.filter(fingerprint=fingerprint(secret)).first()
    if token is None:
        token = APIToken.objects.all().add(
            secret, label="UPSTREAM_API_KEY", base_url=settings.UPSTREAM_BASE_URL
        )
    # Address and secret both come from the operator, so the token may follow its address.
    validate_base_url(settings.UPSTREAM_BASE_URL)
    token.base_url, token.is_imported = settings.UPSTREAM_BASE_URL, True
    token.save(update_fields=["base_url", "is_imported"])
    everyones = Allocation.objects.filter(user=None, group=None)
    imported = ChosenToken.objects.filter(
        allocation__in=everyones.filter(revoked_at=None), api_token__is_imported=True
    )
    imported.exclude(allocation__chosen__api_token=token).update(api_token=token)
    if not everyones.exists():
        Allocation.objects.grant(tokens=[token], reason="UPSTREAM_API_KEY")
    return token
