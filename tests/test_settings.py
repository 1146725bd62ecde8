"""Every variable is read by the settings, explained in .env.example, and listed in the README, and no other is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Read by the launcher's surroundings or by Django itself, not ours to document.
ELSEWHERE = {"DJANGO_SETTINGS_MODULE"}


def names(pattern: str, *files: str) -> set[str]:
    text = "".join((ROOT / file).read_text() for file in files)
    return set(re.findall(pattern, text, re.MULTILINE)) - ELSEWHERE


def read() -> set[str]:
    return names(r"(?:env\.\w+|env|required)\(\s*\"([A-Z][A-Z0-9_]+)\"", "webchat/settings.py")


def explained() -> set[str]:
    return names(r"^(?:# )?([A-Z][A-Z0-9_]+)=", ".env.example")


def test_what_is_read_is_explained() -> None:
    assert read() == explained()


def test_the_readme_lists_the_same() -> None:
    assert names(r"^\| ?`([A-Z][A-Z0-9_]+)`", "README.md") == explained()


def test_each_is_explained_by_a_comment_before_it() -> None:
    paragraphs = (ROOT / ".env.example").read_text().split("\n\n")
    for paragraph in paragraphs:
        assert paragraph.startswith("#"), paragraph


def test_nobody_else_reads_the_environment() -> None:
    reads = re.compile(r"os\.(?:environ|getenv)")
    files = {path.name for path in (ROOT / "webchat").rglob("*.py") if reads.search(path.read_text())}
    assert files <= {"environment.py", "launcher.py", "asgi.py"}


@pytest.mark.parametrize("missing", ["SECRET_KEY", "VAULT_KEYS"])
def test_without_a_key_it_says_which_one_in_a_sentence(missing: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    keys = {"SECRET_KEY": "x" * 50, "VAULT_KEYS": "x"}
    program = (
        "from webchat import environment\n"
        "environment.MADE = environment.BASE_DIR / 'nowhere'\n"
        "environment.BASE_DIR = environment.MADE\n"
        "import webchat.settings"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **keys, missing: ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert f"ImproperlyConfigured: {missing} is not set. `bin/run` makes one" in ended.stderr
