"""How does the demo upstream run until it is told to end?"""

import argparse
import asyncio
import signal

from webchat.demo.media import voice
from webchat.demo.server import DemoServer

DEFAULT_PACE = 0.025


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=9000, help="port to listen on, 0 for a free one")
    parser.add_argument(
        "--pace", type=float, default=DEFAULT_PACE, help="seconds between chunks of an answer"
    )


def run(host: str, port: int, pace: float = DEFAULT_PACE) -> None:
    asyncio.run(_serve_until_signalled(host, port, pace))


async def _serve_until_signalled(host: str, port: int, pace: float) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    # Remembering requests is for tests; a demo that runs for weeks must not grow.
    async with DemoServer(host=host, port=port, pace=pace, remember=0) as server:
        print(f"Demo upstream listens on {server.url}", flush=True)
        if missing := voice.what_is_missing():
            print(missing, flush=True)
        await ended.wait()
