"""A server that says more than anybody reads, behind the portal's edge: whoever connects is sent data without end."""

import asyncio
import sys
from typing import Any

from django.conf import settings

PIECE = b"<p>and so on and so forth</p>" * 700
LIMIT = 60
# Of each request: how long its body was, when all of it had come.
HEARD: list[int] = []


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    talking = asyncio.create_task(talk(scope, send))
    heard = 0
    while "disconnect" not in (message := await receive())["type"]:
        heard += len(message.get("body", b""))
        if message["type"] == "http.request" and not message["more_body"] and scope["method"] == "POST":
            HEARD.append(heard)
    talking.cancel()


async def talk(scope: dict[str, Any], send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        if scope["path"].startswith("/once/"):
            await send({"type": "websocket.send", "text": "x" * int(scope["path"][6:])})
        while scope["path"] == "/talk/":
            await send({"type": "websocket.send", "text": PIECE.decode()})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while scope["path"] == "/talk/":
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        heard = " ".join(map(str, HEARD)) if scope["path"] == "/heard/" else ""
        await send({"type": "http.response.body", "body": heard.encode()})


if __name__ == "__main__":
    settings.configure(
        MAX_CONNECTIONS=1000,
        MAX_CONNECTIONS_PER_ADDRESS=LIMIT,
        UPLOAD_MAX_BYTES=1024 * 1024,
        DATA_UPLOAD_MAX_MEMORY_SIZE=1024 * 1024,
    )
    # It says which event loop this process runs on.
    from webchat.edge.server import HardenedServer

    HardenedServer(
        application,
        endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"],
        ready_callable=lambda: print("ready", flush=True),
    ).run()
