"""How does the API say no? Errors in OpenAI's shape, and which tokens are turned away."""

import re
from collections.abc import Mapping
from typing import Any

INVALID = "invalid_request_error"
NO_CREDIT = "insufficient_quota"

_TOKEN = re.compile(r"Bearer (sk-[\x21-\x7e]{5,})")


class Refusal(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.document: dict[str, Any] = error(message, kind=kind, param=param, code=code)


def error(
    message: str, *, kind: str = INVALID, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    return Refusal(400, message, param=param, code=code)


def unknown_model(model: str) -> Refusal:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return Refusal(404, message, param="model", code="model_not_found")


def check_token(headers: Mapping[str, str]) -> None:
    """Any token of the right shape is good, unless it says itself what is wrong with it."""
    match = _TOKEN.fullmatch(headers.get("authorization", ""))
    if match is None:
        raise Refusal(401, "You didn't provide an API key of the form sk-….", code="invalid_api_key")
    token = match[1]
    if "refused" in token:
        raise Refusal(401, "Incorrect API key provided.", code="invalid_api_key")
    if "nocredit" in token:
        raise Refusal(402, "You exceeded your current quota.", kind=NO_CREDIT, code=NO_CREDIT)
    if "forbidden" in token:
        raise Refusal(403, "This token may not be used here.", kind="permission_error", code="forbidden")
    if "limited" in token:
        wait = (("retry-after", "60"),)
        raise Refusal(429, "Rate limit reached.", kind="requests", code="rate_limit_exceeded", headers=wait)
