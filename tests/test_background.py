"""Whoever reads the database waits for nobody who writes."""

import asyncio
import threading

from webchat import background


async def test_reading_goes_on_while_writers_wait(transactional_db: None) -> None:
    is_unlocked = threading.Event()
    writing = [asyncio.create_task(background.in_database(is_unlocked.wait, 20)) for _number in range(5)]
    try:
        async with asyncio.timeout(10):
            assert await background.look_up(threading.current_thread) != threading.main_thread()
        assert not any(task.done() for task in writing)
    finally:
        is_unlocked.set()
    assert all(await asyncio.gather(*writing))


async def test_nobody_waits_for_what_never_ends() -> None:
    endless = background.spawn(asyncio.sleep(3600), name="endless", endless=True)
    short = background.spawn(asyncio.sleep(0.05), name="short")
    async with asyncio.timeout(10):
        await background.drain(60)
    assert short.done() and not endless.done()
    await background.drain(10, cancel=True)
    assert endless.cancelled()
