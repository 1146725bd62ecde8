"""Models, speech, transcription, images."""

import base64
import json
import struct
from contextlib import aclosing

import pytest

from webchat.upstream.errors import UpstreamError
from webchat.upstream.wire import Image, ImageRequest, Model, Segment, SpeechRequest, TranscriptionRequest

HEADS = {
    "mp3": [b"ID3\x04rest", b"\xff\xfb\x90\x00rest", b"\xff\xf3\x40\x00"],
    "aac": [b"\xff\xf1\x50\x80rest", b"\xff\xf9\x50\x80"],
    "opus": [b"OggS\x00\x02rest"],
    "flac": [b"fLaC\x00\x00"],
}
HEAR = TranscriptionRequest(content=b"RIFFsound", extension="wav")


async def spoken(client, response_format="mp3"):
    async with aclosing(
        client.speak(SpeechRequest(input="hello", response_format=response_format))
    ) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def code_of(call):
    with pytest.raises(UpstreamError) as caught:
        await call
    return caught.value.code


async def test_models(upstream, client):
    data = [
        {"id": "gpt-4", "owned_by": "me"},
        {"id": "bing", "description": "b"},
        {"id": "gpt-4"},
        {"id": 5},
        None,
    ]
    data += [{"id": "bad\nname"}, {"id": ""}, {"id": "x" * 300}]
    upstream.will(lambda wire: wire.reply(200, json.dumps({"data": data}).encode()))
    assert await client.models() == [Model("gpt-4", "me", ""), Model("bing", "", "b")]
    assert upstream.requests[0].head.startswith(b"GET /v1/models HTTP/1.1")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "not_an_answer"),
        (b"{}", "not_an_answer"),
        (b"", "not_an_answer"),
        (b'{"error":{"code":"invalid_api_key"}}', "token_refused"),
    ],
)
async def test_what_is_no_list_of_models(upstream, client, body, code):
    upstream.will(lambda wire: wire.reply(200, body))
    assert await code_of(client.models()) == code


@pytest.mark.parametrize(("kind", "head"), [(kind, head) for kind, heads in HEADS.items() for head in heads])
async def test_speech_in_every_format(upstream, client, kind, head):
    upstream.will(lambda wire: wire.reply(200, head + b"sound" * 1000, kind="audio/x"))
    assert await spoken(client, kind) == head + b"sound" * 1000
    assert upstream.requests[0].json == {
        "input": "hello",
        "model": "tts-1",
        "voice": "alloy",
        "response_format": kind,
        "speed": 1.0,
    }


@pytest.mark.parametrize(
    ("asked", "body", "code"),
    [
        ("mp3", b"", "bad_audio"),
        ("mp3", b"I", "bad_audio"),
        ("mp3", HEADS["aac"][0], "bad_audio"),
        ("aac", HEADS["mp3"][1], "bad_audio"),
        ("mp3", b"fLaC....", "bad_audio"),
        ("mp3", b"RIFF" + struct.pack("<I", 9), "bad_audio"),
        ("mp3", b'{"text": "hm"}', "bad_audio"),
        ("mp3", b'{"error":{"message":"x","code":"insufficient_quota"}}', "no_credit"),
    ],
)
async def test_f32_what_is_no_sound_of_the_format_asked_for(upstream, client, asked, body, code):
    upstream.will(lambda wire: wire.reply(200, body, kind="audio/mpeg"))
    assert await code_of(spoken(client, asked)) == code


async def test_f32_sound_that_breaks_off(upstream, client):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100\r\n\r\n"
    upstream.will(lambda wire: wire.send(head, HEADS["mp3"][0]))
    assert await code_of(spoken(client)) == "connection_lost"
    assert len(upstream.requests) == 1


async def test_transcription(upstream, client):
    upstream.will(lambda wire: wire.reply(200, '{"text": " 你好 "}'.encode()))
    request = TranscriptionRequest(
        content=b"RIFFsound", extension="wav", language="zh", prompt="术语", temperature=0
    )
    assert (await client.transcribe(request)).text == "你好"
    sent = upstream.requests[0]
    assert b"multipart/form-data; boundary=" in sent.head
    assert b'name="file"; filename="audio.wav"' in sent.body
    assert b"RIFFsound" in sent.body
    for name, value in {"model": "whisper-1", "language": "zh", "prompt": "术语", "temperature": "0"}.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in sent.body


async def test_verbose_json(upstream, client):
    segments = [
        {"start": 0, "end": 1.5, "text": " a"},
        {"start": None, "end": 2},
        "x",
        {"start": "2", "end": 3},
    ]
    body = {"text": "a", "language": "english", "duration": "3.0", "segments": segments}
    upstream.will(lambda wire: wire.reply(200, json.dumps(body).encode()))
    heard = await client.transcribe(
        TranscriptionRequest(content=b"x", extension="mp3", response_format="verbose_json")
    )
    assert (heard.language, heard.duration) == ("english", 3.0)
    assert heard.segments == (Segment(0.0, 1.5, "a"), Segment(2.0, 3.0, ""))


@pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
async def test_text_formats_are_not_json(upstream, client, response_format):
    body = "WEBVTT\n\n00:00.000 --> 00:01.000\n你好\n"
    upstream.will(lambda wire: wire.reply(200, body.encode(), kind="text/plain"))
    request = TranscriptionRequest(content=b"x", extension="mp3", response_format=response_format)
    assert (await client.transcribe(request)).text == body.strip()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b'{"text":""}', "nothing_heard"),
        (200, b'{"text":" "}', "nothing_heard"),
        (200, b"", "not_an_answer"),
        (200, b"hello", "not_an_answer"),
        (200, b"<html>", "not_an_answer"),
        (200, b'{"error":{"code":"model_not_found"}}', "model_not_found"),
        (413, b"", "audio_too_large"),
        (400, b'{"error":{"message":"Invalid file format."}}', "invalid_request"),
    ],
)
async def test_f33_what_is_no_transcript(upstream, client, status, body, code):
    upstream.will(lambda wire: wire.reply(status, body))
    assert await code_of(client.transcribe(HEAR)) == code


async def test_f33_a_transcription_that_never_comes(upstream, hasty):
    upstream.will(lambda wire: wire.until_left())
    assert await code_of(hasty.transcribe(HEAR)) == "no_first_content"


async def test_images_are_kept_as_data(upstream, client):
    data = [{"b64_json": base64.b64encode(b"png").decode()}, {"url": "http://169.254.169.254/x"}, {}]
    upstream.will(lambda wire: wire.reply(200, json.dumps({"data": data}).encode()))
    images = await client.images(ImageRequest(prompt="a cat", size="1024x1024"))
    assert images == [Image("cG5n", "", ""), Image("", "http://169.254.169.254/x", "")]
    assert upstream.requests[0].json == {"prompt": "a cat", "model": "dall-e-3", "n": 1, "size": "1024x1024"}


async def test_no_images(upstream, client):
    upstream.will(lambda wire: wire.reply(200, b'{"data":[]}'))
    assert await code_of(client.images(ImageRequest(prompt="a cat"))) == "empty_answer"
