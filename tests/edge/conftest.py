"""One portal for all attacks, a bystander, and a server that talks too much."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.fortress import Fortress, Talker
from tests.services import require
from webchat.demo.server import DemoServer
from webchat.environment import BASE_DIR


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    require(Path("/proc/self/statm").exists(), "Needs Linux to look at memory.")
    with DemoServer.in_thread(pace=0.004) as demo:
        # Here all attackers have the same address.
        settings = {"MAX_CONNECTIONS_PER_ADDRESS": "0"}
        portal = Fortress(tmp_path_factory.mktemp("fortress"), demo.url, **settings)
        portal.prepare()
        portal.invite(25)
        portal.start()
        yield portal
        portal.terminate()


@pytest.fixture(scope="package")
def bystander(portal: Fortress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where Bob writes how long he waited."""
    path = tmp_path_factory.mktemp("bystander") / "waited"
    with path.open("wb") as notes:
        command = [sys.executable, "-m", "tests.edge.bystander", portal.url]
        process = subprocess.Popen(command, cwd=BASE_DIR, stdout=notes, stderr=subprocess.STDOUT)
    while not path.read_bytes():
        assert process.poll() is None
        time.sleep(0.05)
    yield path
    process.kill()
    process.wait(10)


@pytest.fixture(scope="package")
def talker() -> Iterator[Talker]:
    talker = Talker()
    yield talker
    talker.end()
