"""With keys that are missing, broken, or of another vault, the portal does not start, and says why in one sentence."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.browser.portal import Portal
from webchat.demo.server import DemoServer

RIGHT, OTHER = (Fernet.generate_key().decode() for _ in range(2))
BROKEN = "webchat: VAULT_KEYS must hold Fernet keys (32 bytes in URL-safe base64), newest first, separated by commas."
OF_ANOTHER = "CommandError: VAULT_KEYS does not open the token “UPSTREAM_API_KEY (…ests)”. Put the key back that sealed"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    """Its database holds a token."""
    with DemoServer.in_thread() as upstream:
        portal = Portal(tmp_path_factory.mktemp("vault"), upstream.url, VAULT_KEYS=RIGHT)
        portal.prepare()
        portal.start()
        portal.terminate()
    return portal


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("", "webchat: VAULT_KEYS is not set."),
        (" , ", BROKEN),
        ("canary-that-is-no-key", BROKEN),
        (f"{RIGHT},canary-that-is-no-key", BROKEN),
        (OTHER, OF_ANOTHER),
    ],
    ids=["missing", "blank", "broken", "one of two broken", "of another vault"],
)
def test_it_does_not_start(portal: Portal, keys: str, sentence: str) -> None:
    ended = portal.fails(VAULT_KEYS=keys)
    said = ended.stderr.strip().splitlines()
    assert ended.returncode == 1 and said[-1].startswith(sentence)
    assert "Traceback" not in ended.stderr
    assert not [secret for secret in ("canary", RIGHT, OTHER) if secret in ended.stderr + ended.stdout]


def test_what_others_see_of_the_running_portal_holds_no_secret(portal: Portal) -> None:
    """The list of processes, and the log."""
    portal.start()
    listed = b"\n".join(_command_lines()).decode(errors="replace").replace("\0", " ")
    portal.terminate()
    seen = listed + portal.log.read_text()
    assert f"manage.py serve --port {portal.port}" in listed and "The portal is at" in seen
    assert not [secret for secret in (RIGHT, "sk-for-browser-tests") if secret in seen]


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes()
