"""How is a secret kept? Sealed with the newest of `VAULT_KEYS`, opened with any of them."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from webchat import redaction


class VaultLocked(Exception):
    """None of `VAULT_KEYS` opens this secret."""


def seal(secret: str) -> str:
    redaction.remember(secret)
    return _keys(tuple(settings.VAULT_KEYS)).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The clear secret; for the moment of use only. Raises `VaultLocked`."""
    try:
        secret = _keys(tuple(settings.VAULT_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise VaultLocked from None
    redaction.remember(secret)
    return secret


def reseal(sealed: str) -> str:
    """The same secret under the newest key. Raises `VaultLocked`."""
    try:
        return _keys(tuple(settings.VAULT_KEYS)).rotate(sealed.encode()).decode()
    except InvalidToken:
        raise VaultLocked from None


def check_keys() -> None:
    """Raise `ImproperlyConfigured` with one sentence unless every one of `VAULT_KEYS` is a Fernet key."""
    _keys(tuple(settings.VAULT_KEYS))


@lru_cache(maxsize=4)
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "VAULT_KEYS must hold Fernet keys (32 bytes in URL-safe base64), newest first, separated by commas."
        ) from None
