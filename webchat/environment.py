"""Where is the configuration? In the environment, then in `.env`, then in `var/.env` (made by `bin/run`)."""

import os
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
MADE = VAR_DIR / ".env"


def read() -> environ.Env:
    """The environment, filled up from the files. What is empty counts as not set."""
    env = environ.Env()
    for file in (BASE_DIR / ".env", MADE):
        for name in [name for name, value in os.environ.items() if not value]:
            del os.environ[name]
        if file.exists():
            env.read_env(file)
    return env
