import json

import pytest

from webchat.upstream import errors
from webchat.upstream.errors import describe
from webchat.upstream.reports import classify, read_refusal, read_report

SECRET = "sk-canary-0123456789"


def named(status, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, read_refusal(raw), model="gpt-4", secret=SECRET)


def oops(message="", **more):
    return {"error": {"message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, oops("Incorrect API key"), "token_refused"),
        (402, oops("pay"), "no_credit"),
        (403, oops("x", code="insufficient_quota"), "no_credit"),
        (429, oops("x", type="insufficient_quota"), "no_credit"),
        (403, oops("用户额度不足"), "no_credit"),
        (403, b"<html>Cloudflare</html>", "forbidden"),
        (404, oops("The model does not exist", code="model_not_found"), "model_not_found"),
        (404, b"<html>nginx</html>", "wrong_address"),
        (405, b"", "wrong_address"),
        (408, b"", "request_timeout"),
        (413, b"", "context_too_long"),
        (400, oops("x", code="context_length_exceeded"), "context_too_long"),
        (400, oops("This model's maximum context length is 8192 tokens"), "context_too_long"),
        (400, oops("bad"), "invalid_request"),
        (422, {"detail": "bad"}, "invalid_request"),
        (429, b"", "rate_limited"),
        (500, b"", "upstream_down"),
        (503, b"<html>", "upstream_down"),
        (302, b"", "redirected"),
        (418, b"", "upstream_error"),
        (400, b"\xff\xfe{", "invalid_request"),
    ],
)
def test_a_refusal_has_a_name(status, body, code):
    assert named(status, body).code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (oops("x", code="insufficient_quota"), "no_credit"),
        (oops("x", code="invalid_api_key"), "token_refused"),
        (oops("x", type="invalid_request_error"), "invalid_request"),
        (oops("x", code="model_not_found"), "model_not_found"),
        (oops("x", code=429), "rate_limited"),
        (oops("x", code="503"), "upstream_down"),
        (oops("x", type="overloaded_error"), "upstream_down"),
        (oops("x"), "upstream_error"),
        ({"error": "boom"}, "upstream_error"),
    ],
)
def test_a_report_inside_a_200_has_the_same_names(body, code):
    report = read_report(body)
    assert classify(200, report, model="gpt-4", secret=SECRET).code == code


@pytest.mark.parametrize("body", [{}, {"error": None}, {"error": {}}, {"error": ""}, {"choices": []}])
def test_what_reports_no_error(body):
    assert read_report(body) is None


def test_a_short_plain_reason_is_quoted():
    assert "n is too large" in str(named(400, oops("n is too large")))


@pytest.mark.parametrize(
    "message",
    [
        "<b>no</b>",
        "x" * 300,
        f"key {SECRET} is bad",
        'Traceback {"a": 1}',
    ],
)
def test_a_reason_that_is_not_short_and_plain_is_left_out(message):
    error = named(400, oops(message))
    assert error.params == {}
    assert str(error).startswith("The AI service did not accept the request. ")


def test_what_looks_like_a_key_is_cut_from_a_reason():
    shown = str(named(400, oops("Bearer abc and sk-otherkey and 0123456789abcdef0123456789 are bad")))
    assert "abc" not in shown
    assert "otherkey" not in shown


LEAVES = list(errors._BY_CODE.values())


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.code)
def test_every_error_is_one_sentence_even_without_its_params(kind):
    sentence = describe(kind.code, {})
    assert sentence == str(kind())
    assert sentence[0].isupper()
    assert sentence.endswith((".", "”."))
    assert "%" not in sentence


def test_the_tree_in_the_docstring_is_the_tree():
    for kind in LEAVES:
        assert f" {kind.__name__} " in errors.__doc__
        assert f" {kind.code} " in errors.__doc__
    assert len({kind.code for kind in LEAVES}) == len(LEAVES)


def test_only_tokens_can_be_passed_over():
    about = {kind.code for kind in LEAVES if kind.about_token}
    assert about == {"token_refused", "no_credit", "forbidden", "rate_limited", "bad_secret"}


def test_an_unknown_code_is_still_a_sentence():
    assert describe("of a later version", {}) == str(errors.UnknownProblem())


def test_until_is_shown_in_the_readers_time():
    sentence = describe("rate_limited", {"seconds": 3600, "until": "2026-03-01T12:00:00+00:00"})
    assert "2026" in sentence
    assert describe("rate_limited", {"until": "soon"}).endswith("until soon, then try again.")


def test_a_sentence_names_the_model():
    assert "“gpt-9”" in str(errors.ModelNotFound(model="gpt-9"))


def test_params_can_be_stored():
    assert json.loads(json.dumps(errors.RateLimited(seconds=3).params)) == {"seconds": 3}
