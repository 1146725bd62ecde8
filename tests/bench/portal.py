"""What is measured? The portal, one process, with a database of the bench's own, and the fast upstream behind it."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.browser import portal as browser
from webchat.environment import BASE_DIR
from webchat.launcher import end_with_parent

SECONDS_TO_END = 20
SERVERS = {"daphne": "serve", "uvicorn": "uvicorn"}


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in, and the conversations nothing has been said in yet."""

    session: str
    conversations: list[str]


class Upstream:
    """The fast upstream, in its own process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.upstream"]
        self._process = subprocess.Popen(
            command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent
        )
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self.pid = self._process.pid

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(SECONDS_TO_END)


class Portal(browser.Portal):
    """`start` again is a new process with the same database."""

    def __init__(self, folder: Path, upstream_url: str, server: str, database_url: str = "") -> None:
        settings = {"DATABASE_URL": database_url} if database_url else {}
        super().__init__(folder, upstream_url, server=SERVERS[server], **settings)

    def prepare_team(self, people: int, conversations: int) -> list[Member]:
        """Database, static files and people."""
        made = self._make("tests.bench.team", str(people), str(conversations))
        return [Member(session, ids) for session, ids in made]

    def prepare_history(self) -> dict[str, str]:
        """Somebody who has been here for long."""
        made: dict[str, str] = self._make("tests.bench.history_rows")
        return made

    def prepare_ledger(self) -> dict[str, Any]:
        """A million calls in the books."""
        made: dict[str, Any] = self._make("tests.bench.ledger_rows")
        return made

    def time_admission(self) -> list[tuple[float, float]]:
        """Of many calls how long reserving and settling took, in milliseconds."""
        taken: list[tuple[float, float]] = self._make("tests.bench.admission")
        return taken

    def _make(self, module: str, *arguments: str) -> Any:
        command = [sys.executable, "-m", module, *arguments]
        made = subprocess.run(
            command, cwd=BASE_DIR, env=self._environment, stdout=subprocess.PIPE, check=True
        )
        return json.loads(made.stdout)

    def start_and_time(self) -> float:
        """How many seconds it takes from the start of the process to its first page."""
        began = time.monotonic()
        self.start()
        with urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=30) as page:
            assert page.status == 200
        return time.monotonic() - began

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def resident_mib(self) -> float:
        return machine.resident_bytes(self.pid) / 2**20

    def end(self) -> None:
        if self.is_running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.terminate()
        if self.is_running:
            self.kill()

    def last_words(self) -> str:
        """The end of its log, for when something went wrong."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""
