"""Pages that wait for something keep no others from being made, and threads do not become ever more."""

import asyncio
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django import Settings

from webchat.backoffice.health import healthz
from webchat.pages import MOST_THREADS, PAGES_AT_A_TIME, STUCK_SECONDS, Pages

is_unlocked = threading.Event()


def locked(request: HttpRequest) -> HttpResponse:
    is_unlocked.wait(30)
    return HttpResponse(here())


def where(request: HttpRequest) -> HttpResponse:
    return HttpResponse(here())


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("database is locked")


def aged(request: HttpRequest) -> HttpResponse:
    """Leaves a connection that is too old to be used again."""
    connection.ensure_connection()
    connection.close_at = time.monotonic() - 1
    return HttpResponse(here())


def is_new(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(connection.connection is None))


def here() -> str:
    return f"{threading.get_ident()} {id(connections['default'])}"


urlpatterns = [path(view.__name__, view) for view in (healthz, locked, where, away, aged, is_new)]


@pytest.fixture
def pages(settings: Settings) -> Iterator[Pages]:
    settings.ROOT_URLCONF = __name__
    is_unlocked.clear()
    pages = Pages()
    yield pages
    is_unlocked.set()
    while not pages._threads.empty():
        pages._threads.get_nowait().shutdown()
    pages._porter.shutdown()


@pytest.fixture
def visitor(pages: Pages) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://testserver", timeout=None)


def get_locked(visitor: httpx.AsyncClient, count: int) -> list["asyncio.Task[httpx.Response]"]:
    return [asyncio.create_task(visitor.get("/locked")) for _number in range(count)]


async def test_others_go_on_while_pages_wait(visitor: httpx.AsyncClient) -> None:
    """Also those that came in the same moment."""
    waiting = get_locked(visitor, PAGES_AT_A_TIME + 1)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(visitor.get("/healthz") for _number in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert not any(task.done() for task in waiting)
    is_unlocked.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def test_a_thread_that_waits_for_nobody_waits_all_the_same(visitor: httpx.AsyncClient) -> None:
    """Its client has given up; what it waits for has not come."""
    waiting = get_locked(visitor, PAGES_AT_A_TIME)
    await asyncio.sleep(STUCK_SECONDS / 2)
    for task in waiting:
        task.cancel()
    async with asyncio.timeout(10):
        assert (await visitor.get("/healthz")).status_code == 200


async def test_there_is_an_end_to_it(pages: Pages, visitor: httpx.AsyncClient) -> None:
    waiting = get_locked(visitor, MOST_THREADS + 5)
    await asyncio.sleep(STUCK_SECONDS * (MOST_THREADS + 5) / PAGES_AT_A_TIME)
    is_unlocked.set()
    # Each has a connection of its own.
    places = {answer.text for answer in await asyncio.gather(*waiting)}
    assert len({place.split()[0] for place in places}) == len(places) == MOST_THREADS


async def test_threads_stay_and_are_few(visitor: httpx.AsyncClient) -> None:
    places = set()
    for _wave in range(3):
        answers = await asyncio.gather(*(visitor.get("/where") for _number in range(20)))
        places |= {answer.text for answer in answers}
    assert len(places) <= PAGES_AT_A_TIME
    assert await sync_to_async(here)() not in places


async def test_connections_are_looked_after_in_their_thread(
    transactional_db: None, visitor: httpx.AsyncClient
) -> None:
    await visitor.get("/aged")
    assert (await visitor.get("/is_new")).text == "True"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
async def test_a_database_that_does_not_answer_is_said(
    visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await visitor.get("/away", headers=headers)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert "still here" in answer.text and "locked" not in answer.text
