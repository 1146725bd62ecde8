"""Where is the upstream? Any spelling of its base URL gives the same root."""

import re
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_HOST = re.compile(r"[A-Za-z0-9.:_-]+")


def normalise_base_url(url: str) -> str:
    """`https://HOST` for its spellings with `/`, `/v1`, `/v1/`. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError(str(_NOT_AN_ADDRESS)) from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https"):
        raise ValueError(str(_SCHEME))
    # urlsplit drops line ends and tabs inside; an address with them is refused, not repaired.
    if not _HOST.fullmatch(host) or not url.strip().isprintable() or " " in url.strip():
        raise ValueError(str(_NOT_AN_ADDRESS))
    if any(mark in url for mark in "@?#\\"):
        raise ValueError(str(_TOO_MUCH))
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    if not _PATH.fullmatch(path):
        raise ValueError(str(_NOT_AN_ADDRESS))
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{path}"


_SCHEME: Promise = _("The address of the AI service must begin with https:// or http://.")
_TOO_MUCH: Promise = _("The address of the AI service must have no user name, no ? and no # in it.")
_NOT_AN_ADDRESS: Promise = _("This is no web address. It should look like https://api.example.com/v1.")
