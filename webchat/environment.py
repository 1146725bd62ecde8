"""Where is the configuration? In the environment, then in `.env`, then in `var/.env` (made by `bin/run`)."""

import contextlib
import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
MADE = VAR_DIR / ".env"


def read() -> environ.Env:
    """The environment, filled up from the files. What is empty counts as not set."""
    env = environ.Env()
    # The database lies in it, for this user's eyes only. Where it cannot be made it is not needed.
    with contextlib.suppress(OSError):
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    for file in (BASE_DIR / ".env", MADE):
        for name in [name for name, value in os.environ.items() if not value]:
            del os.environ[name]
        if file.exists():
            env.read_env(file)
    return env
