"""What any ASGI server does with the portal: it starts it, or is told why that cannot be, and ends it."""

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from asgiref.testing import ApplicationCommunicator
from cryptography.fernet import Fernet
from pytest_django import Settings

from tests.conftest import SECRET
from webchat import background
from webchat.allocation.models import APIToken, ModelInfo
from webchat.asgi import application
from webchat.demo import DemoServer
from webchat.environment import BASE_DIR

WITHOUT_TWISTED = "import sys, webchat.asgi; sys.exit('twisted' in sys.modules or 'daphne' in sys.modules)"


@pytest.fixture
async def server(transactional_db: None, upstream: DemoServer) -> AsyncIterator[ApplicationCommunicator]:
    yield ApplicationCommunicator(application, {"type": "lifespan"})
    background.ending.clear()
    await background.drain(5, cancel=True)


async def test_it_is_started_and_ended(
    server: ApplicationCommunicator, upstream: DemoServer, settings: Settings
) -> None:
    settings.UPSTREAM_BASE_URL, settings.UPSTREAM_API_KEY = upstream.url, SECRET
    await server.send_input({"type": "lifespan.startup"})
    assert await server.receive_output(5) == {"type": "lifespan.startup.complete"}
    assert await APIToken.objects.acount() == 1
    assert await ModelInfo.objects.filter(name="gpt-4").aexists()

    await server.send_input({"type": "lifespan.shutdown"})
    assert await server.receive_output(5) == {"type": "lifespan.shutdown.complete"}
    assert background.ending.is_set()


async def test_keys_that_open_nothing_are_told(
    server: ApplicationCommunicator, token: APIToken, settings: Settings
) -> None:
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    await server.send_input({"type": "lifespan.startup"})
    said = await server.receive_output(5)
    assert said["type"] == "lifespan.startup.failed" and "VAULT_KEYS does not open" in said["message"]


def test_it_needs_no_twisted() -> None:
    """Whose event loop would be another one than that of the server."""
    subprocess.run([sys.executable, "-c", WITHOUT_TWISTED], check=True, cwd=BASE_DIR)
