"""Nobody reads another's data: every address of the conversations, for each role, with each method."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.chat.history import tell
from webchat.accounts.models import User
from webchat.allocation.models import UsageRecord
from webchat.chat import urls
from webchat.chat.models import Conversation, Message


@dataclass(frozen=True)
class Row:
    """An address, whose id it takes, and what its owner gets. 405: not with this method."""

    name: str
    id_of: str
    get: int
    post: int


ROWS = [
    Row("conversations", "", 200, 422),
    Row("conversation", "conversation", 200, 405),
    Row("messages", "conversation", 200, 422),
    Row("rename", "conversation", 405, 422),
    Row("pin", "conversation", 405, 302),
    Row("delete", "conversation", 405, 302),
    Row("restore", "deleted", 405, 302),
    Row("create_answer", "answer", 405, 429),
    Row("create_edit", "question", 405, 422),
    Row("continue_answer", "answer", 405, 422),
    Row("stop", "answer", 405, 303),
    Row("choose", "answer", 405, 303),
    Row("sidebar", "", 200, 405),
    Row("estimate_first", "", 405, 200),
    Row("estimate", "conversation", 405, 200),
    Row("usage", "", 200, 405),
]
WITH_ID = [row for row in ROWS if row.id_of]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_row_with_id = pytest.mark.parametrize("row", WITH_ID, ids=lambda row: row.name)
both_methods = pytest.mark.parametrize("method", ["get", "post"])


@pytest.fixture
def ids(alice: User) -> dict[str, uuid.UUID]:
    conversation = tell(alice, "Alice's secret question", "Alice's secret answer", title="Alice's secret")
    deleted = tell(alice, "Gone", deleted_at=timezone.now())
    question, answer = conversation.messages.all()
    return {
        "conversation": conversation.pk,
        "deleted": deleted.pk,
        "question": question.pk,
        "answer": answer.pk,
    }


def address(row: Row, pk: uuid.UUID | None) -> str:
    return reverse(f"chat:{row.name}", kwargs={"pk": pk} if row.id_of else {})


def everything() -> list[Any]:
    kept = (Conversation, Message, UsageRecord)
    return [list(model.objects.order_by("pk").values()) for model in kept]  # type: ignore[attr-defined]


def ask(client: Client, method: str, url: str, **headers: str) -> HttpResponse:
    return client.generic(method.upper(), url, headers=headers)


def without_token(response: HttpResponse) -> bytes:
    """The body but for the CSRF token, which looks different each time."""
    return re.sub(rb'("X-CSRFToken": |csrfmiddlewaretoken" value=)"\w+"', b"", response.content)


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == {row.name for row in ROWS}
    assert len(urls.urlpatterns) == len(ROWS)


@every_row
@both_methods
def test_the_owner_comes_in(as_alice: Client, ids: dict[str, uuid.UUID], row: Row, method: str) -> None:
    response = ask(as_alice, method, address(row, ids.get(row.id_of)))
    assert response.status_code == getattr(row, method)


@every_row_with_id
@both_methods
def test_for_others_it_is_not_there(as_bob: Client, ids: dict[str, uuid.UUID], row: Row, method: str) -> None:
    before = everything()
    expected = 405 if getattr(row, method) == 405 else 404
    for headers in ({}, {"HX-Request": "true"}):
        theirs = ask(as_bob, method, address(row, ids[row.id_of]), **headers)
        unknown = ask(as_bob, method, address(row, uuid.uuid4()), **headers)
        assert theirs.status_code == unknown.status_code == expected
        assert without_token(theirs) == without_token(unknown)
        assert b"secret" not in theirs.content
    assert everything() == before


@every_row
@both_methods
def test_others_see_nothing_of_it_elsewhere(
    as_bob: Client, ids: dict[str, uuid.UUID], row: Row, method: str
) -> None:
    if not row.id_of:
        assert b"secret" not in ask(as_bob, method, address(row, None)).content


@every_row
@both_methods
def test_who_is_not_signed_in_goes_to_the_sign_in_page(
    client: Client, ids: dict[str, uuid.UUID], row: Row, method: str
) -> None:
    before = everything()
    for pk in (ids.get(row.id_of), uuid.uuid4()):
        url = address(row, pk)
        response = ask(client, method, url)
        assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={url}")
        part = ask(client, method, url, **{"HX-Request": "true"})
        assert part.status_code == 401 and b"secret" not in part.content
        assert "Location" not in part
    assert everything() == before


@every_row_with_id
def test_an_admin_reads_nobody_s_conversations_here(
    client: Client, admin: User, ids: dict[str, uuid.UUID], row: Row
) -> None:
    client.force_login(admin)
    method = "get" if row.get != 405 else "post"
    assert ask(client, method, address(row, ids[row.id_of])).status_code == 404


@pytest.mark.parametrize(
    "pk", ["1", "x", "00000000-0000-0000-0000-00000000000g", "../admin", "%00", "é", "'--"]
)
def test_what_is_no_id_is_not_there_either(as_alice: Client, pk: str) -> None:
    for path in (f"/conversations/{pk}/", f"/conversations/{pk}/messages/", f"/messages/{pk}/stop/"):
        assert as_alice.get(path).status_code == 404
        assert as_alice.post(path).status_code == 404


@every_row
def test_what_can_be_read_can_be_asked_about(as_alice: Client, ids: dict[str, uuid.UUID], row: Row) -> None:
    assert as_alice.head(address(row, ids.get(row.id_of))).status_code == row.get


@pytest.mark.parametrize(
    ("verb", "role"), [("stop", "question"), ("continuation", "question"), ("edits", "answer")]
)
def test_a_verb_for_the_other_role_finds_nothing(
    as_alice: Client, ids: dict[str, uuid.UUID], verb: str, role: str
) -> None:
    assert as_alice.post(f"/messages/{ids[role]}/{verb}/", {"text": "x"}).status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
@every_row
def test_other_methods_do_nothing(as_alice: Client, ids: dict[str, uuid.UUID], row: Row, method: str) -> None:
    before = everything()
    assert ask(as_alice, method, address(row, ids.get(row.id_of))).status_code == 405
    assert everything() == before
