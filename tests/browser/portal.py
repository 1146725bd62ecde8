"""The portal as `bin/run` starts it, in its own process, with its own database: it can be killed and come back."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from cryptography.fernet import Fernet

from tests.services import free_port
from webchat.environment import BASE_DIR

SECONDS_TO_START = 60
PREPARE = "from webchat import launcher; launcher.read_environment(); launcher.prepare()"
# As docs/operations.md says it under "Under uvicorn"
UVICORN = """
    -m uvicorn webchat.asgi:application --lifespan on --http h11 --ws websockets-sansio --ws-max-size 65536
    --ws-ping-interval 5 --ws-ping-timeout 10 --timeout-keep-alive 60 --timeout-graceful-shutdown 2
    --limit-concurrency 2000 --no-proxy-headers --no-server-header --no-access-log --log-level warning
"""
SERVERS = {
    "serve": ["manage.py", "serve"],
    "uvicorn": UVICORN.split(),
    "launcher": ["-m", "webchat.launcher"],
}


class Portal:
    """With the demo team in it. `kill` is SIGKILL; `start` again uses the same port and the same database."""

    def __init__(
        self, folder: Path, upstream_url: str, *, redis_url: str = "", server: str = "serve", **settings: str
    ) -> None:
        self.server = server
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.site_url = self.url
        self.database = folder / "portal.sqlite3"
        self.log = folder / "portal.log"
        self._process: subprocess.Popen[bytes] | None = None
        # Nothing of the test run's own environment: it holds the settings of the other tests.
        self._environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            "DJANGO_SETTINGS_MODULE": "webchat.settings",
            "SECRET_KEY": "for-browser-tests-" + "x" * 50,
            "VAULT_KEYS": Fernet.generate_key().decode(),
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DEBUG": "False",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "MEDIA_ROOT": str(folder / "media"),
            "UPSTREAM_BASE_URL": upstream_url,
            "UPSTREAM_API_KEY": "sk-for-browser-tests",
            "REDIS_URL": redis_url,
            **settings,
        }

    def share(self, other: "Portal") -> None:
        """Serve the same portal as the other process: its keys, its address for the browser."""
        self.site_url = other.site_url
        self._environment = other._environment

    def prepare(self) -> None:
        """Database, demo team and static files, as the launcher does it; but for the month that the team has lived."""
        for command in (
            ["manage.py", "migrate"],
            ["manage.py", "seed_demo", "--people-only"],
            ["-c", PREPARE],
        ):
            self._run([sys.executable, *command]).wait(SECONDS_TO_START)

    def start(self) -> None:
        self._process = self._run([sys.executable, *SERVERS[self.server], "--port", str(self.port)])
        give_up_at = time.monotonic() + SECONDS_TO_START
        while not _answers(self.port):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up_at, "the portal does not answer"
            time.sleep(0.05)

    def fails(self, **settings: str) -> "subprocess.CompletedProcess[str]":
        """What comes of starting it with settings with which it can't be."""
        command = [sys.executable, *SERVERS[self.server], "--port", str(self.port)]
        environment = {**self._environment, **settings}
        return subprocess.run(
            command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=SECONDS_TO_START
        )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a power cut does it."""
        assert self._process
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> float:
        """As a deployment does it; returns how many seconds it took."""
        assert self._process
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        self._process.wait(30)
        return time.monotonic() - began

    def stored(self, message_id: str) -> tuple[str, str]:
        """State and text of a message, as the database holds them."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            row = database.execute(
                "SELECT state, text FROM chat_message WHERE id = ?", [message_id.replace("-", "")]
            )
            state, text = row.fetchone()
        return state, text

    def count_questions(self, text: str) -> int:
        """How many messages a person has sent with just this text."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            row = database.execute(
                "SELECT count(*) FROM chat_message WHERE role = 'user' AND text = ?", [text]
            )
            (count,) = row.fetchone()
        return int(count)

    def do(self, code: str) -> None:
        """Something that only an admin could do on a page, in a process of its own."""
        command = [sys.executable, "manage.py", "shell", "-c", code]
        assert self._run(command).wait(SECONDS_TO_START) == 0, self.log.read_text()

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command of the portal, in a process of its own."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=BASE_DIR, env=self._environment, capture_output=True, text=True)

    def _run(self, command: list[str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=BASE_DIR, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
