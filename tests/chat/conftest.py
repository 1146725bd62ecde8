"""Models that answer at a pace at which one can watch."""

import pytest

from tests.chat.asking import offer
from webchat.allocation.models import APIToken

SLOW = "gpt-4@20ms"
BRISK = "gpt-4@5ms"


@pytest.fixture
async def slow(transactional_db: None, token: APIToken) -> str:
    await offer(SLOW, BRISK, "gpt-3.5-turbo")
    return SLOW


@pytest.fixture
async def brisk(slow: str) -> str:
    return BRISK
