"""Which models does the demo list, and does it say that it is a demo?"""

import httpx
import pytest

DOCUMENTED = [
    "gpt-3.5-turbo",
    "gpt-4",
    "gpt-4-1106-preview",
    "gpt-4-all",
    "gpt-4-vision-preview",
    "bing",
    "claude-2.1",
    "gemini-pro",
    "chatglm_pro",
    "SparkDesk",
    "qwen-plus",
    "ERNIE-Bot-4",
]


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/"])
async def test_the_documents_models_come_first_in_its_order(http: httpx.AsyncClient, path: str) -> None:
    models = (await http.get(path)).json()
    assert models["object"] == "list"
    assert [model["id"] for model in models["data"]][:12] == DOCUMENTED


async def test_the_list_says_that_it_is_a_demo(http: httpx.AsyncClient) -> None:
    models = (await http.get("/v1/models")).json()["data"]
    assert all(model["owned_by"].startswith("Demo:") for model in models)
    assert models[0]["owned_by"] == "Demo: scripted answers, no real model"


async def test_the_other_kinds_and_the_practice_faults_are_listed(http: httpx.AsyncClient) -> None:
    models = {model["id"]: model for model in (await http.get("/v1/models")).json()["data"]}
    assert {"tts-1", "tts-1-hd", "whisper-1", "dall-e-3", "demo-slow"} <= models.keys()
    assert models["fault-F07-long"]["description"] == "429 with Retry-After: 3600"
    assert models["fault-F07-long"]["owned_by"] == "Demo: practice faults"


@pytest.mark.parametrize("number", [n for n in range(1, 35) if n != 9])
async def test_every_upstream_row_of_the_fault_matrix_has_a_model(
    http: httpx.AsyncClient, number: int
) -> None:
    reply = await http.get(f"/v1/models/fault-F{number:02}")
    assert reply.status_code == 200
    assert reply.json()["description"]


async def test_a_model_that_is_not_there_is_not_found(http: httpx.AsyncClient) -> None:
    reply = await http.get("/v1/models/gpt-9")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
