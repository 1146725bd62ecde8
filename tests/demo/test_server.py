"""Does the server listen, remember, notice who leaves, and end when told?"""

import asyncio
import re
import signal
import subprocess
import sys

import httpx
import pytest

from tests.demo.conftest import Asker
from tests.demo.reading import TOKEN
from webchat.demo import DemoServer

HEADERS = {"authorization": f"Bearer {TOKEN}"}
SLOW = {"model": "demo-slow", "stream": True, "messages": [{"role": "user", "content": "hello"}]}


async def test_requests_are_remembered_and_can_be_cleared(server: DemoServer, ask: Asker) -> None:
    await ask.post("hello")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.json["messages"] == [{"role": "user", "content": "hello"}]
    assert await request.ended()
    assert not request.aborted
    assert request.closed_at is not None and request.closed_at >= request.opened_at
    server.clear()
    assert not server.requests


async def test_a_client_that_leaves_is_noticed_at_once(server: DemoServer, http: httpx.AsyncClient) -> None:
    async with http.stream("POST", "/v1/chat/completions", json=SLOW) as reply:
        async for _ in reply.aiter_bytes():
            break
        assert server.requests[0].closed_at is None
    assert await server.requests[0].ended(2)
    assert server.requests[0].aborted


async def test_a_connection_is_used_again(server: DemoServer, ask: Asker) -> None:
    for stream in (False, True, False):
        reply = await ask.post("hello", stream=stream)
        assert reply.status_code == 200
    assert len(server._connections) == 1


async def test_two_requests_sent_at_once_are_answered_in_turn(server: DemoServer) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(
        f"GET /v1/models/bing HTTP/1.1\r\n{head}\r\nGET /v1/models/gpt-4 HTTP/1.1\r\n{head}".encode()
    )
    writer.write(b"Connection: close\r\n\r\n")
    replies = (await reader.read()).decode()
    writer.close()
    assert re.findall(r'"id":"([^"]+)"', replies) == ["bing", "gpt-4"]


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"x" * 100_000])
async def test_what_is_no_http_is_turned_away(server: DemoServer, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(garbage)
    assert (await reader.read()).startswith(b"HTTP/1.1 4")
    writer.close()


async def test_the_front_page_needs_no_token_and_says_what_this_is(server: DemoServer) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(server.url)
    assert reply.status_code == 200
    assert "scripted answers and no real model" in reply.text


async def test_pace_is_the_pause_between_chunks(server: DemoServer, http: httpx.AsyncClient) -> None:
    """With ten minutes between chunks the first ones come and no more."""
    body = SLOW | {"model": "gpt-4@600000ms"}
    async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        received = b""
        async for data in reply.aiter_bytes():
            received += data
            if received.count(b"data: ") == 2:
                break
    assert b"[DONE]" not in received
    assert await server.requests[0].ended(2)


def test_a_server_runs_beside_synchronous_code() -> None:
    with DemoServer.in_thread() as server:
        reply = httpx.get(f"{server.url}/v1/models", headers=HEADERS, trust_env=False)
        assert reply.status_code == 200
        assert server.requests[0].wait_ended(2)
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_listens_and_ends_when_told(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "webchat.demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"Demo upstream listens on (http://127\.0\.0\.1:\d+)\n", line)
            assert match is not None, line
            with httpx.stream(
                "POST", f"{match[1]}/v1/chat/completions", json=SLOW, headers=HEADERS, trust_env=False
            ) as reply:
                next(reply.iter_bytes())
                process.send_signal(number)
                assert process.wait(5) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


async def test_the_demo_imports_nothing_of_the_portals() -> None:
    loaded = "[name for name in sys.modules if name.startswith(('django', 'webchat'))]"
    code = f"import sys, webchat.demo.command; print({loaded})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    modules = re.findall(r"'([^']+)'", output.decode())
    assert [name for name in modules if name != "webchat" and not name.startswith("webchat.demo")] == []
