"""Redis goes: pages are told, and go on."""

from contextlib import ExitStack, aclosing
from pathlib import Path

from tests.browser.portal import Portal
from tests.services import redis
from tests.several.people import follow, frames_until, post, sign_in
from webchat.demo import DemoServer


async def test_without_redis_a_page_still_sees_what_it_sends(tmp_path: Path) -> None:
    with ExitStack() as services, DemoServer.in_thread() as upstream:
        portal = Portal(tmp_path, upstream.url, redis_url=services.enter_context(redis()))
        portal.prepare()
        portal.start()
        async with aclosing(await sign_in(portal)) as client:
            path = (await post(client, "/conversations/", text="Hello", model="gpt-4")).headers["location"]
            async with follow(portal, client, path) as socket:
                await frames_until(socket, 'data-role="assistant" data-state="complete"')
                services.close()
                assert (await post(client, f"{path}messages/", text="Say this is a test!")).status_code == 303
                await frames_until(socket, "This is a test!")
            async with follow(portal, client, path) as socket:
                await frames_until(socket, "This is a test!")
        portal.terminate()
