"""Two server processes serve one portal, each with another ASGI server: what one brings, the pages of the other see."""

import re
from collections.abc import Iterator
from contextlib import aclosing

import httpx
import pytest

from tests.browser.portal import Portal
from tests.services import redis
from tests.several.people import follow, frames_until, post, sign_in
from webchat.demo.server import DemoServer

TEXT = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Portal, Portal]]:
    folder = tmp_path_factory.mktemp("several")
    with redis() as redis_url, DemoServer.in_thread(pace=0.03) as upstream:
        one, two = (
            Portal(folder, upstream.url, redis_url=redis_url, server=server)
            for server in ("serve", "uvicorn")
        )
        two.share(one)
        one.prepare()
        one.start()
        two.start()
        yield one, two
        one.terminate()
        two.terminate()


async def test_a_page_of_the_other_process_sees_the_answer_grow(portals: tuple[Portal, Portal]) -> None:
    one, two = portals
    async with aclosing(await sign_in(one)) as client:
        asked = await post(client, "/conversations/", text="count to 60", model="gpt-4")
        path = asked.headers["location"]
        async with follow(two, client, path) as socket:
            seen = await frames_until(socket, 'data-role="assistant" data-state="complete"')
    growth = [frame for frame in seen.split("hx-swap-oob") if "beforeend" in frame or "block" in frame]
    assert len(growth) > 5, "the answer came in one piece"
    assert "60" in TEXT.sub("", seen)


async def test_stop_works_on_a_page_of_the_other_process(portals: tuple[Portal, Portal]) -> None:
    one, two = portals
    async with aclosing(await sign_in(one)) as client:
        asked = await post(client, "/conversations/", text="count to 400", model="gpt-4")
        path = asked.headers["location"]
        async with follow(two, client, path) as socket:
            seen = await frames_until(socket, 'data-role="assistant" data-state="streaming"')
            answer = re.findall(r'id="message-([0-9a-f-]{36})" data-role="assistant"', seen)[-1]
            other = httpx.AsyncClient(
                base_url=two.url, cookies=client.cookies, headers={"Origin": two.site_url}
            )
            async with other:
                assert (await post(other, f"/messages/{answer}/stop/")).status_code == 303
            await frames_until(socket, 'data-role="assistant" data-state="stopped"')
