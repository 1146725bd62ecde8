"""Bob works, whatever others do: he opens pages and sends. In a process of his own, so that nobody slows him down here.

For each request he writes when it was answered, and after how many seconds.
"""

import asyncio
import sys
import time

from tests.several.people import ask, sign_in


class Address:
    """As much of a portal as one needs to sign in."""

    def __init__(self, url: str) -> None:
        self.url = self.site_url = url


async def work(url: str) -> None:
    client = await sign_in(Address(url), "bob")  # type: ignore[arg-type]
    path = await ask(client, "Count to 20")
    number = 0
    while True:
        number += 1
        began = time.time()
        if number % 10:
            status = (await client.get(path)).status_code
            assert status == 200, status
        else:
            await ask(client, "Count to 20")
        print(time.time(), time.time() - began, flush=True)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
