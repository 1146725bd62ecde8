import pytest

from webchat.upstream.client import normalise_base_url


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "//", "/v1//"])
def test_any_spelling_gives_the_same_root(tail):
    assert normalise_base_url(f" https://API.example.com{tail} ") == "https://api.example.com"


def test_port_path_and_ipv6_are_kept():
    assert normalise_base_url("http://[::1]:8080/openai/v1/") == "http://[::1]:8080/openai"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com/v1#frag",
        "https://api.example.com#",
        "https://api.example.com/../admin",
        "https://api.example.com/a b",
        "https://api.example.com/\r\nX: y",
        "https://api.example.com:99999",
        "https://exa mple.com",
        "https://[::1",
        "https://api.example.com\\@evil.example",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url):
    with pytest.raises(ValueError, match=r"address"):
        normalise_base_url(url)
