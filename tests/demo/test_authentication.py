"""Which tokens are taken, and what do the others hear?"""

import httpx
import pytest


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer abc", "Bearer sk-", "Bearer sk-1234", "Basic sk-12345678", "sk-12345678"],
)
async def test_a_missing_or_malformed_token_is_refused(
    http: httpx.AsyncClient, authorization: str | None
) -> None:
    del http.headers["authorization"]
    headers = {} if authorization is None else {"authorization": authorization}
    reply = await http.get("/v1/models", headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("sk-refused-1234", 401, "invalid_api_key"),
        ("sk-nocredit-1234", 402, "insufficient_quota"),
        ("sk-forbidden-1234", 403, "forbidden"),
        ("sk-limited-1234", 429, "rate_limit_exceeded"),
    ],
)
async def test_a_token_can_say_itself_what_is_wrong_with_it(
    http: httpx.AsyncClient, token: str, status: int, code: str
) -> None:
    for _ in range(2):
        reply = await http.get("/v1/models", headers={"authorization": f"Bearer {token}"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert ("retry-after" in reply.headers) == (status == 429)


async def test_any_other_token_of_the_right_shape_is_good(http: httpx.AsyncClient) -> None:
    reply = await http.get("/v1/models", headers={"authorization": "Bearer sk-12345"})
    assert reply.status_code == 200
