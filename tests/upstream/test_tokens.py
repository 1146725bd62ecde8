from webchat.upstream.tokens import estimate, estimate_messages
from webchat.upstream.wire import Message


def test_nothing_costs_nothing():
    assert estimate("") == 0


def test_english_is_about_a_quarter_of_its_letters():
    assert 8 <= estimate("The quick brown fox jumps over the lazy dog.") <= 12


def test_chinese_is_nearly_a_token_a_character():
    assert estimate("你好世界，今天天气很好") == 9


def test_code_costs_more_than_prose_of_the_same_length():
    assert estimate("x[1] += {2: 3};") > estimate("xaaaaaaaaaaaaaa")


def test_messages_add_up_however_they_are_given():
    structs = [Message("user", "hello"), Message("assistant", "world")]
    dicts = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "world"}]
    assert estimate_messages(structs) == estimate_messages(dicts) > estimate("helloworld")


def test_pictures_are_counted():
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    ]
    assert estimate_messages([Message("user", parts)]) > 700
