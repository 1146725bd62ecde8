"""What does a test need that not every machine has? It is skipped with a sentence, or fails where all is wanted."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def require(condition: object, sentence: str) -> None:
    """Go on only when it is there. With WEBCHAT_REQUIRE_ALL set nothing may be missing."""
    if condition:
        return
    if os.environ.get("WEBCHAT_REQUIRE_ALL"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A Redis of the test's own; its URL."""
    program = shutil.which("redis-server")
    require(program, "Install Debian's redis-server to test several processes.")
    assert program
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL cluster of the test's own; the URL of its database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require(programs, "Install Debian's postgresql to test on PostgreSQL.")
    binaries = programs[-1].parent
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL does not run as root; Debian's package brings a user for it.
        become = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if become:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        _run([*become, f"{binaries}/initdb", "-D", data, "-U", "webchat", "-A", "trust", "-E", "UTF8", "-N"])
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        # Nothing of it has to last, and tables are emptied a thousand times.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            options += ["-c", f"{setting}=off"]
        server = subprocess.Popen(
            [*become, f"{binaries}/postgres", "-D", data, "-p", str(port), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, server)
            yield f"postgres://webchat@127.0.0.1:{port}/postgres"
        finally:
            _run([*become, f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop"])
            server.wait(10)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        assert server.poll() is None, "the service ended by itself"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the service does not answer")
