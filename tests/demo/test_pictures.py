"""Does the demo draw what was asked for?"""

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image


async def drawn(http: httpx.AsyncClient, **fields: Any) -> list[dict[str, str]]:
    body = {"prompt": "A quiet harbour 港口", "size": "256x256"} | fields
    reply = await http.post("/v1/images/generations", json=body)
    assert reply.status_code == 200, reply.text
    data: list[dict[str, str]] = reply.json()["data"]
    return data


def opened(entry: dict[str, str]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(entry["b64_json"])))


@pytest.mark.parametrize("size", ["256x256", "1024x1792"])
async def test_a_picture_has_the_size_asked_for(http: httpx.AsyncClient, size: str) -> None:
    (entry,) = await drawn(http, size=size, response_format="b64_json")
    assert "{}x{}".format(*opened(entry).size) == size
    assert "url" not in entry


async def test_pictures_of_one_prompt_differ_and_come_again_the_same(http: httpx.AsyncClient) -> None:
    first, again = await drawn(http, n=2), await drawn(http, n=2)
    assert first[0]["b64_json"] != first[1]["b64_json"]
    assert first == again


async def test_a_url_is_data_and_not_an_address(http: httpx.AsyncClient) -> None:
    (entry,) = await drawn(http)
    assert entry["url"] == "data:image/png;base64," + entry["b64_json"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"prompt": ""}, 400),
        ({"prompt": "x" * 4001}, 400),
        ({"size": "1x1"}, 400),
        ({"n": 11}, 400),
        ({"response_format": "gif"}, 400),
        ({"model": "gpt-4"}, 404),
        ({"model": "fault-F08-500"}, 500),
    ],
)
async def test_bad_wishes_are_refused(http: httpx.AsyncClient, fields: dict[str, Any], status: int) -> None:
    reply = await http.post("/v1/images/generations", json={"prompt": "x"} | fields)
    assert reply.status_code == status
