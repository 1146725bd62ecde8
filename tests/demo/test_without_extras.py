"""Is the demo honest where the packages for speech and pictures are not installed?"""

import base64
import io
import sys
import wave

import httpx
import pytest

from webchat.demo.media import voice


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("av", "espeakng_loader", "PIL"):
        monkeypatch.setitem(sys.modules, module, None)


def test_the_demo_says_what_is_missing() -> None:
    said = voice.what_is_missing()
    assert said is not None and said.startswith("Not installed: espeakng-loader, av, pillow.")


async def test_speech_is_a_tone_in_a_wav_that_can_be_measured(http: httpx.AsyncClient) -> None:
    order = {"model": "tts-1", "input": "Hello there, this is a test.", "voice": "alloy"}
    reply = await http.post("/v1/audio/speech", json=order)
    assert reply.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(reply.content)) as sound:
        assert sound.getnframes() > sound.getframerate()
    files = {"file": ("a.wav", reply.content)}
    heard = await http.post("/v1/audio/transcriptions", files=files, data={"model": "whisper-1"})
    assert heard.json() == {"text": order["input"]}


async def test_a_picture_is_one_colour(http: httpx.AsyncClient) -> None:
    wish = {"prompt": "hills", "size": "256x256", "response_format": "b64_json"}
    reply = await http.post("/v1/images/generations", json=wish)
    content = base64.b64decode(reply.json()["data"][0]["b64_json"])
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) < 5000
