"""A portal that is going to be attacked: what it weighs, what others feel, and who is signed in."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.portal import Portal
from tests.services import free_port
from webchat.environment import BASE_DIR

# Promise 12
MOST_MEGABYTES, MOST_SECONDS = 400, 0.5
# Each with a session and a conversation of their own.
INVITE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from webchat.accounts.models import User
from webchat.accounts.sessions import SessionStore
from webchat.chat.models import Conversation
for number in range(COUNT):
    user = User.objects.create_user(f"person-{number}", f"person-{number}@example.org")
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "webchat.accounts.passwords.PasswordBackend"
    session.create()
    conversation = Conversation.objects.create(owner=user, model="gpt-4", title="Idle")
    print(json.dumps([session.session_key, str(conversation.pk)]))
"""
Person = tuple[str, str]


@dataclass
class Damage:
    """What an attack did: to the portal's memory, in MB, and to somebody else's waiting, in seconds."""

    before: float
    peak: float = 0
    waited: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return sorted(self.waited)[int(len(self.waited) * 0.95)]

    def is_bearable(self) -> bool:
        print(
            f"RSS {self.before:.0f} MB, at most {self.peak:.0f}; p95 of {len(self.waited)}: {self.p95:.3f} s"
        )
        return self.peak < MOST_MEGABYTES and self.p95 < MOST_SECONDS


class Fortress(Portal):
    people: list[Person]

    def invite(self, count: int) -> None:
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", INVITE.replace("COUNT", str(count))]
        made = subprocess.run(
            command, cwd=BASE_DIR, env=self._environment, capture_output=True, text=True, check=True
        )
        self.people = [tuple(json.loads(line)) for line in made.stdout.splitlines()]

    @property
    def rss(self) -> float:
        assert self._process
        return resident(self._process.pid)

    @contextmanager
    def watched_by(self, bystander: Path) -> Iterator[Damage]:
        """Its memory is looked at a hundred times a second, and the bystander goes on working."""
        damage, over = Damage(self.rss, peak=self.rss), threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                damage.peak = max(damage.peak, self.rss)

        watcher, began = threading.Thread(target=watch), time.time()
        watcher.start()
        try:
            yield damage
        finally:
            over.set()
            watcher.join()
        # Whoever is still waiting counts as well.
        damage.waited = waited(bystander, began) or [time.time() - began]


class Talker:
    """`talker.py` in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.site_url = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.edge.talker", str(self.port)], cwd=BASE_DIR, stdout=subprocess.PIPE
        )
        assert self._process.stdout and self._process.stdout.readline() == b"ready\n"

    @property
    def rss(self) -> float:
        return resident(self._process.pid)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1024**2


def waited(bystander: Path, since: float) -> list[float]:
    lines = [line.split() for line in bystander.read_text().splitlines()]
    return [float(seconds) for when, seconds in lines if float(when) > since]
