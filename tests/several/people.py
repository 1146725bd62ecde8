"""A browser without a screen: signing in, sending, and following a conversation's socket."""

import asyncio
import uuid

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.portal import Portal


async def sign_in(portal: Portal, person: str = "alice") -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=portal.url, headers={"Origin": portal.site_url}, timeout=30)
    page = await client.get("/accounts/login/")
    sent = {"login": person, "password": "webchat-demo", "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    assert (await client.post("/accounts/login/", data=sent)).status_code == 302, page.text
    return client


async def ask(client: httpx.AsyncClient, text: str, model: str = "gpt-4") -> str:
    """In a new conversation; its path."""
    asked = await post(client, "/conversations/", text=text, model=model)
    assert asked.status_code == 303, asked.status_code
    path: str = asked.headers["location"]
    return path


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    sent = {"client_id": str(uuid.uuid4()), "csrfmiddlewaretoken": client.cookies["csrftoken"], **fields}
    return await client.post(path, data=sent)


def follow(portal: Portal, client: httpx.AsyncClient, path: str) -> connect:
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = f"ws://127.0.0.1:{portal.port}/ws{path}"
    return connect(url, origin=portal.site_url, additional_headers={"Cookie": cookies})


async def frames_until(socket: ClientConnection, wanted: str) -> str:
    seen = ""
    async with asyncio.timeout(20):
        while wanted not in seen:
            seen += str(await socket.recv())
    return seen
