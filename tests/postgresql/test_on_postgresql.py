"""The portal on PostgreSQL: what holds on SQLite holds there."""

import os
import subprocess
import sys

from tests.services import postgresql
from webchat.environment import BASE_DIR

ROOMS = [
    "tests/chat",
    "tests/allocation",
    # What asks the database for more than a row
    *(f"tests/backoffice/test_{name}.py" for name in ("books", "bulk", "dashboard", "requests", "seed_demo")),
    *(f"tests/accounts/test_{name}.py" for name in ("audit", "roles")),
]


def test_conversations_and_allocation_on_postgresql() -> None:
    with postgresql() as url:
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--ignore-glob=*markdown*",
                *ROOMS,
            ],
            env={**os.environ, "TEST_DATABASE_URL": url},
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
