"""Faults of speech and of transcription: a sentence and no sound, instead of something that cannot be played."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.conftest import SECRET
from tests.faults.rows import WORDS_OF_THE_UPSTREAM
from webchat.demo.server import DemoServer
from webchat.upstream.client import Deadlines, UpstreamClient
from webchat.upstream.errors import UpstreamError, describe
from webchat.upstream.pools import close_pools
from webchat.upstream.wire import SpeechRequest, TranscriptionRequest


@pytest.fixture
async def client(upstream: DemoServer) -> AsyncIterator[UpstreamClient]:
    yield UpstreamClient(upstream.url, SECRET, deadlines=Deadlines(reply=0.5))
    await close_pools()


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ("fault-F32", "invalid_request", "did not accept the request: The voice is out of order."),
        ("fault-F32-json", "invalid_request", "did not accept the request: The voice is out of order."),
        ("fault-F32-empty", "bad_audio", "no mp3 sound. Try again, or choose another format"),
        ("fault-F32-wrong", "bad_audio", "no mp3 sound. Try again, or choose another format"),
    ],
)
async def test_f32_what_is_no_sound_is_never_played(
    client: UpstreamClient, model: str, code: str, words: str
) -> None:
    sound = b""
    with pytest.raises(UpstreamError) as caught:
        async with aclosing(client.speak(SpeechRequest(input="Hello.", model=model))) as arriving:
            async for chunk in arriving:
                sound += chunk
    assert sound == b""
    check_sentence(caught.value, code, words)


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ("fault-F33", "nothing_heard", "Nothing was understood in the recording"),
        ("fault-F33-slow", "no_first_content", "said nothing for 0.5 s. Try again"),
        ("fault-F33-large", "audio_too_large", "larger than the AI service accepts. Send a shorter one"),
    ],
)
async def test_f33_a_recording_that_brings_no_text_is_said_to(
    client: UpstreamClient, model: str, code: str, words: str
) -> None:
    with pytest.raises(UpstreamError) as caught:
        await client.transcribe(
            TranscriptionRequest(content=b"RIFF" + bytes(1000), extension="wav", model=model)
        )
    check_sentence(caught.value, code, words)


def check_sentence(error: UpstreamError, code: str, words: str) -> None:
    sentence = describe(error.code, error.params)
    assert error.code == code and words in sentence
    assert not [one for one in [SECRET, *WORDS_OF_THE_UPSTREAM] if one in sentence]
