"""What is fetched and changed by statements made once is what the ORM would fetch and change."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from tests.chat.history import tell
from webchat import rows
from webchat.accounts.models import User
from webchat.chat.models import Conversation


def values(conversation: Conversation) -> dict[str, object]:
    return {
        field.attname: getattr(conversation, field.attname) for field in Conversation._meta.concrete_fields
    }


def test_a_row_is_found_as_the_orm_finds_it(alice: User) -> None:
    conversation = tell(alice, "Hello", temperature=0.5, is_pinned=True)
    found = rows.find(Conversation, conversation.pk)
    assert found is not None
    assert values(found) == values(Conversation.objects.get(pk=conversation.pk))
    with transaction.atomic():
        locked = rows.find(Conversation, conversation.pk, lock=True)
    assert locked == found


def test_rows_are_added_as_the_orm_adds_them(alice: User) -> None:
    quick, plain = (Conversation(owner=alice, model="gpt-4", title="Both", temperature=0.5) for _ in range(2))
    other = Conversation(owner=alice, model="gpt-4")
    rows.add(quick, other)
    plain.save()
    assert values(Conversation.objects.get(pk=quick.pk)) == values(quick)
    differ = ("id", "created_at", "active_at")
    assert values(quick) | dict.fromkeys(differ) == values(plain) | dict.fromkeys(differ)
    assert Conversation.objects.filter(pk=other.pk).exists()
    quick.title = "Saved again"
    quick.save()
    assert Conversation.objects.get(pk=quick.pk).title == "Saved again"


def test_what_is_not_there(db: None) -> None:
    assert rows.find(Conversation, uuid4()) is None
    assert not rows.change(Conversation, uuid4(), {"title": "Nobody's"})


def test_only_the_row_that_is_meant_changes(alice: User) -> None:
    conversation, other = tell(alice, "Hello"), tell(alice, "Good evening")
    before, now = values(other), timezone.now()
    assert rows.change(Conversation, conversation.pk, {"title": "100 %", "leaf_id": None, "active_at": now})
    found = Conversation.objects.get(pk=conversation.pk)
    assert (found.title, found.leaf_id, found.active_at) == ("100 %", None, now)
    other.refresh_from_db()
    assert values(other) == before


def test_a_condition_that_does_not_hold(alice: User) -> None:
    conversation = tell(alice, "Hello", titled_by="person", title="Mine")
    assert not rows.change(Conversation, conversation.pk, {"title": "x"}, only_if="titled_by = 'question'")
    assert rows.change(Conversation, conversation.pk, {"title": "y"}, only_if="titled_by = 'person'")
    conversation.refresh_from_db()
    assert conversation.title == "y"
