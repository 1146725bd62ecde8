"""Is what the demo speaks real audio, and what does it say it heard?"""

import io
import wave
from typing import Any

import av
import httpx
import pytest

TEXT = "Hello there. This is a test of the demo's voice."
SPEECH = {"model": "tts-1", "input": TEXT, "voice": "alloy"}


async def spoken(http: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    reply = await http.post("/v1/audio/speech", json=SPEECH | fields)
    assert reply.status_code == 200, reply.text
    return reply


async def heard(
    http: httpx.AsyncClient, content: bytes, name: str = "a.mp3", **fields: str
) -> httpx.Response:
    files = {"file": (name, content)}
    return await http.post("/v1/audio/transcriptions", files=files, data={"model": "whisper-1"} | fields)


def decoded(content: bytes) -> tuple[str, float]:
    with av.open(io.BytesIO(content)) as container:
        codec = container.streams.audio[0].codec_context.name
        return codec, sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def silence(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(int(seconds * 8000) * 2))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content_type", "codec"),
    [
        ("mp3", "audio/mpeg", "mp3float"),
        ("opus", "audio/ogg", "libopus"),
        ("aac", "audio/aac", "aac"),
        ("flac", "audio/flac", "flac"),
    ],
)
async def test_speech_comes_in_each_format(
    http: httpx.AsyncClient, name: str, content_type: str, codec: str
) -> None:
    reply = await spoken(http, response_format=name)
    found, seconds = decoded(reply.content)
    assert reply.headers["content-type"] == content_type
    assert found in (codec, codec.removesuffix("float"), codec.removeprefix("lib"))
    assert 2 < seconds < 5


async def test_mp3_is_the_default(http: httpx.AsyncClient) -> None:
    assert (await spoken(http)).headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("speed", [0.25, 0.7, 2, 4.0])
async def test_speed_shortens_and_lengthens(http: httpx.AsyncClient, speed: float) -> None:
    _, usual = decoded((await spoken(http, response_format="flac")).content)
    _, seconds = decoded((await spoken(http, response_format="flac", speed=speed)).content)
    assert seconds == pytest.approx(usual / speed, rel=0.1)


async def test_the_voices_differ(http: httpx.AsyncClient) -> None:
    voices = ["alloy", "echo", "fable", "onyx", "nova", "shimmer"]
    sounds = {(await spoken(http, voice=voice, response_format="flac")).content for voice in voices}
    assert len(sounds) == 6


async def test_chinese_is_spoken_and_punctuation_is_silence(http: httpx.AsyncClient) -> None:
    _, seconds = decoded((await spoken(http, input="你好啊，今天天气很好。")).content)
    assert 1 < seconds < 5
    assert decoded((await spoken(http, input="…")).content)[1] > 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": " "}, "input"),
        ({"input": None}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"voice": "bob"}, "voice"),
        ({"voice": None}, "voice"),
        ({"response_format": "wav"}, "response_format"),
        ({"speed": 0.2}, "speed"),
        ({"speed": 4.1}, "speed"),
        ({"speed": "1"}, "speed"),
        ({"model": None}, "model"),
    ],
)
async def test_bad_speech_parameters_are_refused(
    http: httpx.AsyncClient, fields: dict[str, Any], param: str
) -> None:
    reply = await http.post("/v1/audio/speech", json=SPEECH | fields)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


async def test_characters_count_and_not_bytes(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/audio/speech", json=SPEECH | {"input": "，" * 4096})).status_code == 200


async def test_its_own_speech_is_understood_word_for_word(http: httpx.AsyncClient) -> None:
    audio = (await spoken(http)).content
    reply = await heard(http, audio)
    assert reply.json() == {"text": TEXT}


async def test_other_audio_is_measured_and_the_demo_says_so(http: httpx.AsyncClient) -> None:
    text = (await heard(http, silence(2.5), "a.wav")).json()["text"]
    assert "demo" in text
    assert "2.5 seconds" in text
    assert "2.5 秒" in (await heard(http, silence(2.5), "a.wav", language="zh")).json()["text"]


async def test_each_transcript_format_has_its_shape(http: httpx.AsyncClient) -> None:
    audio = (await spoken(http)).content
    text = await heard(http, audio, response_format="text")
    srt = await heard(http, audio, response_format="srt")
    vtt = await heard(http, audio, response_format="vtt")
    verbose = (await heard(http, audio, response_format="verbose_json")).json()
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text == TEXT + "\n"
    assert srt.text.startswith("1\n00:00:00,000 --> 00:00:0")
    assert "\n\n2\n" in srt.text
    assert vtt.text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert (verbose["task"], verbose["language"], verbose["text"]) == ("transcribe", "english", TEXT)
    assert [segment["text"] for segment in verbose["segments"]] == ["Hello there.", TEXT[13:]]
    assert verbose["segments"][-1]["end"] == pytest.approx(verbose["duration"], abs=0.01)


@pytest.mark.parametrize(
    ("name", "fields", "param"),
    [
        ("a.txt", {}, "file"),
        ("mp3", {"model": ""}, "model"),
        ("a.mp3", {"language": "english"}, "language"),
        ("a.mp3", {"response_format": "xml"}, "response_format"),
        ("a.mp3", {"temperature": "2"}, "temperature"),
        ("a.mp3", {"temperature": "nan"}, "temperature"),
        ("a.mp3", {}, "file"),  # the right name, but no audio
    ],
)
async def test_bad_recordings_are_refused(
    http: httpx.AsyncClient, name: str, fields: dict[str, str], param: str
) -> None:
    reply = await heard(http, b"this is not audio", name, **fields)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


async def test_only_whisper_transcribes(http: httpx.AsyncClient) -> None:
    assert (await heard(http, silence(1), "a.wav", model="whisper-2")).status_code == 404


async def test_more_than_25_megabytes_are_refused(http: httpx.AsyncClient) -> None:
    assert (await heard(http, bytes(25 * 1024 * 1024 + 1))).status_code == 413


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary=x"]
)
async def test_what_is_no_form_is_refused(http: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    reply = await http.post("/v1/audio/transcriptions", content=b"{}", headers=headers)
    assert reply.status_code == 400
