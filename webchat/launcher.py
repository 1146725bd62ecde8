"""What does `bin/run` do? Keys, database, demo team, demo upstream, server; and in the end it ends them."""

import argparse
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from cryptography.fernet import Fernet

from webchat import environment
from webchat.environment import BASE_DIR, MADE, VAR_DIR

DEMO_KEY = "sk-webchat-demo-upstream"
ENDING_SECONDS = 12
# From <linux/prctl.h>: the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1


def main() -> int:
    options = parse_arguments()
    if not is_free(options.host, options.port):
        print(f"Port {options.port} is taken. Choose another one: bin/run --port 8001", file=sys.stderr)
        return 1
    read_environment()
    is_private = options.host in ("127.0.0.1", "localhost", "::1")
    os.environ.setdefault("SITE_URL", f"http://{options.host if is_private else '127.0.0.1'}:{options.port}")
    has_team = prepare()
    children: list[subprocess.Popen[str]] = []
    signal.signal(signal.SIGTERM, end)
    try:
        if not os.environ.get("UPSTREAM_BASE_URL"):
            children.append(start_demo_upstream())
        portal = start("serve", "--host", options.host, "--port", str(options.port))
        children.append(portal)
        if wait_until_it_answers(options.host, options.port, portal):
            greet(has_team, is_private)
        return portal.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        end_all(children)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/run", description="The portal on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
    return parser.parse_args()


def is_free(host: str, port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError:
            return False
    return True


def read_environment() -> None:
    """As the settings do; keys that are nowhere yet are made, and kept for this user's eyes only."""
    environment.read()
    made = {"SECRET_KEY": secrets.token_urlsafe(50), "VAULT_KEYS": Fernet.generate_key().decode()}
    missing = {name: value for name, value in made.items() if name not in os.environ}
    if missing:
        with open(MADE, "a", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.writelines(f"{name}={value}\n" for name, value in missing.items())
        os.environ.update(missing)


def prepare() -> bool:
    """Bring the database and the static files up to date; tells whether the demo team is in this database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webchat.settings")
    import django
    from django.core.management import call_command

    django.setup()
    from webchat.accounts.models import User

    call_command("migrate", verbosity=0)
    collect_static_files()
    if not User.objects.exists():
        call_command("seed_demo", verbosity=0)
    use_demo_key_for_demo_only()
    team = User.objects.filter(username="alice", email="alice@example.org", is_active=True).first()
    from django.db import connections

    connections.close_all()
    return team is not None


def use_demo_key_for_demo_only() -> None:
    """Of two tokens that are in use either may be asked with, and of the demo's nobody is there to answer."""
    from webchat.allocation.models import APIToken, fingerprint

    is_demo = not os.environ.get("UPSTREAM_BASE_URL")
    APIToken.objects.filter(fingerprint=fingerprint(DEMO_KEY)).update(is_active=is_demo)


def collect_static_files() -> None:
    """Again only when one of them has changed, since it takes longer than all the rest of a start."""
    from django.core.management import call_command

    sources = [BASE_DIR / "requirements.txt", *sorted((BASE_DIR / "static").rglob("*.*"))]
    state = "\n".join(f"{source} {source.stat().st_mtime_ns}" for source in sources)
    collected = VAR_DIR / "static" / ".collected"
    if not collected.exists() or collected.read_text() != state:
        call_command("collectstatic", interactive=False, verbosity=0)
        collected.write_text(state)


def start_demo_upstream() -> subprocess.Popen[str]:
    """On a free port of this machine; the portal learns its address from the environment."""
    demo = start("demo_upstream", "--host", "127.0.0.1", "--port", "0", stdout=subprocess.PIPE)
    assert demo.stdout is not None
    line = demo.stdout.readline()
    os.environ["UPSTREAM_BASE_URL"] = line.split()[-1]
    os.environ["UPSTREAM_API_KEY"] = DEMO_KEY
    return demo


def start(*command: str, stdout: int | None = None) -> subprocess.Popen[str]:
    arguments = [sys.executable, str(BASE_DIR / "manage.py"), *command]
    return subprocess.Popen(arguments, stdout=stdout, text=True, preexec_fn=end_with_parent)  # noqa: S603


def end_with_parent() -> None:
    """In the child: should the launcher be killed, nothing of it stays behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_it_answers(host: str, port: int, portal: subprocess.Popen[str]) -> bool:
    while portal.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
        time.sleep(0.05)
    return False


def greet(has_team: bool, is_private: bool) -> None:
    print(f"\n  Webchat is at {os.environ['SITE_URL']}")
    if has_team:
        print("  Sign in as admin, alice or bob; the password of each is webchat-demo.")
    if has_team and not is_private:
        print("  Everyone who reaches this machine can do that. Deactivate the three, and set SITE_URL.")
    if os.environ.get("UPSTREAM_API_KEY") == DEMO_KEY:
        print("  Answers come from the demo upstream: scripted, no real model. See README.md for a real one.")
    print("  Ctrl-C ends it.\n", flush=True)


def end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def end_all(children: list[subprocess.Popen[str]]) -> None:
    # Ended by Ctrl-C, the children have heard of it already; a second signal would cut their saving short.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for child in reversed(children):
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()


if __name__ == "__main__":
    sys.exit(main())
