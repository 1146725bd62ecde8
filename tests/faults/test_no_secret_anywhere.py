"""A bought token goes in and never comes out: not after faults, not on any page, in no row and no log."""

import re
from collections.abc import Collection
from html import unescape
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import AsyncClient

from tests.chat.asking import ask, begin, last_answer, until_ended
from tests.chat.tab import Tab
from tests.conftest import SECRET
from tests.faults.conftest import logged, until_quiet
from tests.faults.rows import QUESTION
from webchat.accounts.models import User
from webchat.allocation import catalogue
from webchat.allocation.models import APIToken
from webchat.background import in_database

FAULTS = ["F01", "F03", "F07-long", "F10-forever", "F11", "F22", "F23", "F24-html", "F34"]
# Also of a token that was cut or masked: enough of its middle to be of use.
CANARIES = [SECRET[10:20], settings.VAULT_KEYS[0][:20]]
_LINK = re.compile(r'href="(/[^"?#]*)')
_ID = re.compile(r"(?<=/)(\d+|[0-9a-f-]{36})(?=/)")
_MOST_PAGES = 400
_MOST_ALIKE = 15


async def test_no_secret_is_anywhere(alice_async: AsyncClient, token: APIToken, admin: User) -> None:
    seen = await _see_everything(alice_async, token, admin)
    _check_that_there_was_something_to_see(seen)
    assert not [(place, canary) for place, text in seen.items() for canary in CANARIES if canary in text]


async def _see_everything(alice: AsyncClient, token: APIToken, admin: User) -> dict[str, str]:
    """After a run over faults: a text for each place."""
    administrator = AsyncClient()
    await administrator.aforce_login(admin)
    assert await catalogue.refresh_with(token)
    with logged() as lines:
        pressed = await _what_buttons_say(administrator, token)
        for fault in FAULTS:
            await begin(alice, QUESTION, model=f"fault-{fault}")
        await until_quiet()
        places = pressed | {"frames": await _frames(alice, "fault-F01")}
        await APIToken.objects.filter(pk=token.pk).aupdate(base_url="http://nothing.invalid")
        unreachable = await begin(alice, QUESTION)
        await until_ended(await last_answer(unreachable))
        places |= await _token_forms(administrator, token)
        places |= await _error_pages(administrator, token)
        places |= {f"alice {path}": page for path, page in (await _pages(alice)).items()}
        places |= {f"admin {path}": page for path, page in (await _pages(administrator)).items()}
    return places | await in_database(_rows) | _files() | {"log": "\n".join(lines)}


def _check_that_there_was_something_to_see(seen: dict[str, str]) -> None:
    """The search is worth something only if its places are filled."""
    assert "refused the API token" in seen["frames"]
    assert "refused the API token" in seen["admin /admin/allocation/apitoken/"]
    assert SECRET[-4:] in seen["table allocation_apitoken"]
    assert "token_refused" in seen["log"]
    assert "It lists" in seen["apitoken/{pk}/test/ of one that is good"]
    assert "can't be deleted" in unescape(seen["apitoken/{pk}/delete/ of one that is good"])
    assert "It lists" in seen["modelinfo/sync/ of one that is good"]
    if connection.vendor == "sqlite":
        assert {place.rpartition("sqlite3")[2] for place in seen if "sqlite3" in place} >= {"", "-wal"}
    for pattern in (r"alice /conversations/[\w-]{36}/", r"admin /admin/allocation/\w+/[\w-]{36}/change/"):
        assert len([place for place in seen if re.fullmatch(pattern, place)]) > 1
    assert all(f"fault-{fault}" in seen["table chat_message"] for fault in FAULTS)


async def _frames(client: AsyncClient, model: str) -> str:
    conversation = await begin(client, QUESTION)
    await until_ended(await last_answer(conversation))
    async with Tab(client, conversation) as tab:
        await ask(client, conversation, QUESTION, model=model)
        await tab.until(lambda tab: tab.page.states()[-1] == "failed")
        return "".join(tab.frames)


async def _token_forms(client: AsyncClient, token: APIToken) -> dict[str, str]:
    """What the admin's form says to a token that it refuses: in the vault already, or with a blank in it."""
    fields = {"label": "Again", "base_url": token.base_url, "is_active": "on"}
    again = await client.post("/admin/allocation/apitoken/add/", fields | {"secret": SECRET})
    ill = await client.post("/admin/allocation/apitoken/add/", fields | {"secret": f"{SECRET} {SECRET}"})
    assert (again.status_code, ill.status_code) == (200, 200)
    return {"form with a known token": again.content.decode(), "form with an ill token": ill.content.decode()}


async def _what_buttons_say(client: AsyncClient, token: APIToken) -> dict[str, str]:
    """On the admin's pages: of a token that works, and of one to which nobody answers."""
    said = {}
    for state, url in (("away", "http://nothing.invalid"), ("good", token.base_url)):
        await APIToken.objects.filter(pk=token.pk).aupdate(base_url=url)
        for button in (
            "apitoken/{pk}/test/",
            "apitoken/{pk}/hand_over/",
            "apitoken/{pk}/delete/",
            "modelinfo/sync/",
        ):
            path = "/admin/allocation/" + button.format(pk=token.pk)
            response = await client.post(path, {"post": "yes"}, follow=True)
            said[f"{button} of one that is {state}"] = response.content.decode()
    return said


async def _error_pages(client: AsyncClient, token: APIToken) -> dict[str, str]:
    strict = AsyncClient(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    edit = f"/admin/allocation/apitoken/{token.pk}/change/"
    answers = [
        await client.get("/admin/allocation/apitoken/no-such-token/change/", follow=True),
        await client.get("/no/such/page/"),
        await client.get(f"/admin/allocation/apitoken/{token.pk}/test/"),
        await strict.post(edit, {"secret": SECRET}),
        await client.get("/", headers={"host": "somebody.else"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 405, 403, 400]
    return {f"error page {answer.status_code}": answer.content.decode() for answer in answers}


async def _pages(client: AsyncClient) -> dict[str, str]:
    """Every page that can be reached by links; of those that differ in an id alone, some."""
    pages: dict[str, str] = {}
    waiting = ["/"]
    while waiting and len(pages) < _MOST_PAGES:
        path = waiting.pop()
        response = await client.get(path)
        pages[path] = response.content.decode() if not response.streaming else ""
        links = [response.headers.get("Location", ""), *_LINK.findall(pages[path])]
        waiting += {link for link in links if _is_new(link, pages) and link not in waiting}
    assert len(pages) < _MOST_PAGES
    return pages


def _is_new(link: str, pages: Collection[str]) -> bool:
    is_ours = link.startswith("/") and not link.startswith((settings.STATIC_URL, "//"))
    alike = [page for page in pages if _ID.sub("", page) == _ID.sub("", link)]
    return is_ours and link not in pages and len(alike) < _MOST_ALIKE


def _rows() -> dict[str, str]:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {f"table {table}": str(_rows_of(table)) for table in tables}


def _rows_of(table: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
        rows: list[object] = cursor.fetchall()
        return rows


def _files() -> dict[str, str]:
    """How this process was started, and what is on the disk of its database, deleted rows included."""
    paths = [Path("/proc/self/cmdline")]
    if connection.vendor == "sqlite":
        name = Path(connection.settings_dict["NAME"])
        paths += name.parent.glob(f"{name.name}*")
    return {f"file {path}": path.read_bytes().decode("latin-1") for path in paths if path.is_file()}
