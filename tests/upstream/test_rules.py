import math
from dataclasses import replace

import pytest

from webchat.upstream import rules
from webchat.upstream.rules import Range, check_chat, check_image, check_speech, check_transcription, kind_of

HELLO = [{"role": "user", "content": "hello"}]


def fields(**given):
    request = {"messages": HELLO, "model": "gpt-4"} | given
    return [violation.field for violation in check_chat(**request)]


def test_a_plain_question_is_allowed():
    assert fields() == []
    assert fields(temperature=0.3, top_p=1.0, max_tokens=100, n=5) == []


@pytest.mark.parametrize("temperature", [-0.1, 1.01, math.nan, math.inf, True, "0.5"])
def test_a_temperature_out_of_its_range_or_no_number(temperature):
    assert fields(temperature=temperature) == ["temperature"]


@pytest.mark.parametrize("temperature", [0, 1, 0.0, 1.0])
def test_the_ends_of_the_range_are_in_it(temperature):
    assert fields(temperature=temperature) == []


@pytest.mark.parametrize(("top_p", "allowed"), [(0, False), (0.01, True), (1, True), (1.1, False)])
def test_top_p_is_above_zero(top_p, allowed):
    assert fields(top_p=top_p) == ([] if allowed else ["top_p"])


@pytest.mark.parametrize("n", [0, 6, 1.0, True, "2"])
def test_n_is_a_whole_number_from_1_to_5(n):
    assert fields(n=n) == ["n"]


@pytest.mark.parametrize(
    ("temperature", "n", "allowed"), [(0.29, 2, False), (0.3, 2, True), (0, 1, True), (None, 2, True)]
)
def test_near_zero_there_is_one_answer_only(temperature, n, allowed):
    assert fields(temperature=temperature, n=n) == ([] if allowed else ["n"])


def test_the_documents_example_of_8192():
    at_most = {"prompt_tokens": 4096, "context_length": 8192}
    assert fields(max_tokens=4096, **at_most) == []
    assert fields(max_tokens=4097, **at_most) == ["max_tokens"]


def test_a_conversation_that_fills_the_context():
    assert fields(prompt_tokens=8192, context_length=8192) == ["messages"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        "hello",
        None,
        [{"role": "tool", "content": "x"}],
        [{"role": "user", "content": " \n"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"type": "text", "text": " "}]}],
        ["hello"],
    ],
)
def test_messages_that_are_none(messages):
    assert fields(messages=messages) == ["messages"]


def test_pictures_are_for_models_that_can_see():
    seeing = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}
    ]
    assert fields(messages=seeing, model="gpt-4") == ["messages"]
    assert fields(messages=seeing, model="gpt-4-vision-preview") == []
    assert fields(messages=seeing, model="somebody-elses-model") == []


def test_who_knows_more_of_a_model_than_the_document_is_believed():
    blind = replace(rules.known("somebody-elses-model"), vision=False)
    picture = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}
    ]
    assert fields(messages=picture, model=blind.id, spec=blind) == ["messages"]
    cautious = rules.KnownModel(
        "gpt-4", temperature=Range(0.5, 0.7, 0.5, model="gpt-4"), n=Range(1, 2, 1, whole=True), near_zero=0.6
    )
    assert fields(temperature=0.4, n=3, spec=cautious) == ["temperature", "n", "n"]
    assert fields(temperature=0.6, n=2, spec=cautious) == []
    assert fields(model="gpt-4", spec=replace(cautious, kind="image")) == ["model"]


@pytest.mark.parametrize("model", ["", None, "tts-1"])
def test_a_model_that_can_chat_is_needed(model):
    assert fields(model=model) == ["model"]


def test_a_reason_names_the_limits():
    violation = check_chat(HELLO, "gpt-4", temperature=2)[0]
    assert violation.message == "temperature must be between 0 and 1."
    assert violation.code == "invalid_request_error"


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("gpt-4", "chat"),
        ("tts-1-hd", "speech"),
        ("whisper-1", "transcription"),
        ("gpt-4o-transcribe", "transcription"),
        ("gpt-4o-mini-tts", "speech"),
        ("dall-e-2", "image"),
        ("stable-diffusion-xl", "image"),
        ("unheard-of", "chat"),
    ],
)
def test_what_a_model_is_for(model, kind):
    assert kind_of(model) == kind


def test_the_documents_twelve_models():
    chat = [model.id for model in rules.MODELS if model.kind == "chat"]
    assert len(chat) == 12
    assert [model.id for model in rules.MODELS if model.vision] == ["gpt-4-vision-preview"]


def test_speech():
    assert check_speech("hello", "tts-1", "alloy", "mp3", 1) == []
    broken = check_speech("x" * 4097, "tts-9", "bob", "wav", 5)
    assert [violation.field for violation in broken] == [
        "input",
        "model",
        "voice",
        "response_format",
        "speed",
    ]


def test_speech_counts_characters_not_bytes():
    assert check_speech("你" * 4096, "tts-1", "alloy", "mp3", 1) == []


def test_transcription():
    assert check_transcription("MP3", 1, "whisper-1", "zh", "vtt", 0) == []
    broken = check_transcription("exe", 26 * 1024**2, "whisper-2", "zho", "doc", 2)
    assert {violation.field for violation in broken} == {
        "file",
        "model",
        "language",
        "response_format",
        "temperature",
    }
    assert [violation.field for violation in check_transcription("mp3", 0, None, None, None, None)] == [
        "file"
    ]


def test_image():
    assert check_image("a cat", "dall-e-3", 1, "1024x1024") == []
    assert [violation.field for violation in check_image(" ", "gpt-4", 11, "1x1")] == [
        "prompt",
        "model",
        "n",
        "size",
    ]
