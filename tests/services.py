"""What does a test need that not every machine has? It is skipped with a sentence, or fails where all is wanted."""

import os

import pytest


def require(condition: object, sentence: str) -> None:
    """Go on only when it is there. With WEBCHAT_REQUIRE_ALL set nothing may be missing."""
    if condition:
        return
    if os.environ.get("WEBCHAT_REQUIRE_ALL"):
        pytest.fail(sentence)
    pytest.skip(sentence)
