"""An owner reads somebody's conversations: for a reason, for a while, noted, told, and with nothing to change."""

import re
import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from tests.chat.history import tell
from tests.conftest import signed_in
from webchat.accounts.models import AuditEvent, BreakGlass, User
from webchat.chat.models import Conversation, Message

REASON = "A complaint about what was written"
HOSTILE = "<script>alert(1)</script> **bold** <img src=x onerror=alert(2)>"


@pytest.fixture
def conversation(bob: User) -> Conversation:
    return tell(bob, f"My question {HOSTILE}", f"The answer {HOSTILE}", title="Bob's title")


def start(person: User) -> str:
    return f"/admin/accounts/user/{person.pk}/break-glass/"


def open_glass(browser: Client, person: User, **fields: str) -> str:
    """The address of the list of conversations."""
    response = browser.post(start(person), {"reason": REASON, "minutes": "15", **fields})
    assert response.status_code == 302, response.content.decode()
    address: str = response["Location"]
    return address


def texts() -> list[object]:
    return list(Message.objects.order_by("pk").values("text", "state", "parent", "position"))


def kept() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Conversation, Message)]


def test_for_a_reason_an_owner_reads(as_owner: Client, bob: User, conversation: Conversation) -> None:
    before = texts()
    address = open_glass(as_owner, bob)
    page = as_owner.get(address).content.decode()
    assert "Bob&#x27;s title" in page and REASON in page and "Close now" in page
    thread = as_owner.get(f"{address}{conversation.pk}/").content.decode()
    assert "My question" in thread and "<strong>bold</strong>" in thread
    assert "<script>alert" not in thread and "<img" not in thread
    assert texts() == before


def test_it_is_noted_and_each_conversation_by_itself(
    as_owner: Client, staff: dict[str, User], bob: User, conversation: Conversation
) -> None:
    other = tell(bob, "Another question", title="Another title")
    address = open_glass(as_owner, bob, minutes="60")
    as_owner.get(address)
    for each in (conversation, other):
        as_owner.get(f"{address}{each.pk}/")
    opened, *read = AuditEvent.objects.order_by("pk")
    assert (opened.action, opened.actor, opened.person, opened.reason) == (
        "break_glass_opened",
        staff["owner"],
        bob,
        REASON,
    )
    assert [event.action for event in read] == ["break_glass_read"] * 2
    assert [event.details["conversation"] for event in read] == [str(conversation.pk), str(other.pk)]
    assert not any("title" in str(vars(event)) for event in (opened, *read))


def test_earlier_messages_are_the_same_reading(as_owner: Client, bob: User) -> None:
    long = tell(bob, *(f"Message {number}." for number in range(70)))
    address = open_glass(as_owner, bob)
    page = as_owner.get(f"{address}{long.pk}/").content.decode()
    assert "Message 69." in page and "Message 10." not in page
    earlier = re.search(r'href="(\?before=[\w-]+)"', page)
    assert earlier
    page = as_owner.get(f"{address}{long.pk}/{earlier[1]}").content.decode()
    assert "Message 10." in page and "Message 69." not in page and "Earlier messages" not in page
    assert AuditEvent.objects.filter(action="break_glass_read").count() == 1


def test_who_begins_with_the_earlier_ones_is_noted_all_the_same(as_owner: Client, bob: User) -> None:
    long = tell(bob, *(f"Message {number}." for number in range(70)))
    before = long.messages.get(text="Message 50.")
    as_owner.get(f"{open_glass(as_owner, bob)}{long.pk}/?before={before.pk}")
    assert AuditEvent.objects.filter(action="break_glass_read").count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "too short"}, "Say why, in 10 characters or more."),
        ({"reason": "          "}, "This field is required."),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"reason": "a reason\0 with a zero"}, "Null characters are not allowed."),
        ({"minutes": ""}, "This field is required."),
        ({"minutes": "100000"}, "Select a valid choice."),
        ({"minutes": "-1"}, "Select a valid choice."),
        ({"minutes": "NaN"}, "Select a valid choice."),
    ],
)
def test_without_a_good_reason_and_a_limit_it_stays_shut(
    as_owner: Client, bob: User, fields: dict[str, str], sentence: str
) -> None:
    response = as_owner.post(start(bob), {"reason": REASON, "minutes": "15", **fields})
    assert response.status_code == 200 and sentence in response.content.decode()
    assert not BreakGlass.objects.exists() and not AuditEvent.objects.exists()


@pytest.mark.parametrize("minutes", [15, 60, 240])
def test_it_lasts_as_long_as_was_said(as_owner: Client, bob: User, minutes: int) -> None:
    open_glass(as_owner, bob, minutes=str(minutes))
    glass = BreakGlass.objects.get()
    assert abs(glass.until - glass.opened_at - timedelta(minutes=minutes)) < timedelta(seconds=5)


def test_after_the_limit_nothing_is_shown(as_owner: Client, bob: User, conversation: Conversation) -> None:
    address = open_glass(as_owner, bob)
    BreakGlass.objects.update(until=timezone.now())
    noted = AuditEvent.objects.count()
    for page in (address, f"{address}{conversation.pk}/", f"{address}{uuid.uuid4()}/"):
        response = as_owner.get(page)
        assert response.status_code == 403
        assert "can no longer be read" in response.content.decode()
        assert (
            "title"
            not in response.content.decode()
            .partition("<body")[2]
            .replace("site-title", "")
            .replace('title="', "")
            .replace("_title", "")
            or "Bob&#x27;s title" not in response.content.decode()
        )
    assert as_owner.post(f"{address}close/").status_code == 403
    assert AuditEvent.objects.count() == noted


def test_closed_now_is_closed(as_owner: Client, bob: User, conversation: Conversation) -> None:
    address = open_glass(as_owner, bob)
    assert as_owner.get(f"{address}close/").status_code == 405
    as_owner.post(f"{address}close/")
    assert as_owner.get(f"{address}{conversation.pk}/").status_code == 403
    event = AuditEvent.objects.first()
    assert event and (event.action, event.person) == ("break_glass_closed", bob)


def test_one_that_is_open_is_gone_on_with(as_owner: Client, bob: User) -> None:
    address = open_glass(as_owner, bob)
    assert as_owner.get(start(bob))["Location"] == address
    assert open_glass(as_owner, bob) == address
    assert BreakGlass.objects.count() == 1


def test_it_opens_one_person_s_conversations_alone(
    as_owner: Client, bob: User, charlie: User, conversation: Conversation
) -> None:
    theirs = tell(charlie, "Charlie's question")
    address = open_glass(as_owner, bob)
    deleted = tell(bob, "Deleted by Bob", title="Deleted", deleted_at=timezone.now())
    glass = BreakGlass.objects.get()
    elsewhere = f"/admin/accounts/user/{charlie.pk}/break-glass/{glass.pk}/"
    for page in (f"{address}{theirs.pk}/", f"{address}{deleted.pk}/", f"{address}{uuid.uuid4()}/", elsewhere):
        assert as_owner.get(page).status_code == 404
    assert as_owner.get(f"{elsewhere}{theirs.pk}/").status_code == 404
    assert "Deleted" not in as_owner.get(address).content.decode()
    assert not AuditEvent.objects.filter(action="break_glass_read").exists()


def test_it_is_for_the_owner_who_opened_it(
    browsers: dict[str, Client], as_owner: Client, bob: User, conversation: Conversation
) -> None:
    address = open_glass(as_owner, bob)
    other = User.objects.create_superuser("other", "other@example.org", "x")
    for page in (address, f"{address}{conversation.pk}/"):
        assert signed_in(Client(), other).get(page).status_code == 404
        assert browsers["allocator"].get(page).status_code == browsers["auditor"].get(page).status_code == 403
        assert browsers["member"].get(page).status_code == Client().get(page).status_code == 302
    assert signed_in(Client(), other).post(f"{address}close/").status_code == 404
    assert BreakGlass.objects.get().is_open


def test_who_is_no_owner_any_more_reads_no_further(
    as_owner: Client, staff: dict[str, User], bob: User, conversation: Conversation
) -> None:
    address = open_glass(as_owner, bob)
    User.objects.create_superuser("other", "other@example.org", "x")
    staff["owner"].set_role("auditor", by=staff["owner"])
    assert as_owner.get(f"{address}{conversation.pk}/").status_code == 403
    with pytest.raises(PermissionDenied):
        BreakGlass.objects.open(staff["auditor"], bob, reason=REASON, minutes=15)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_there_can_be_changed(
    as_owner: Client, bob: User, conversation: Conversation, method: str
) -> None:
    address = open_glass(as_owner, bob)
    before = kept()
    for page in (address, f"{address}{conversation.pk}/"):
        assert getattr(as_owner, method)(page).status_code == 405
    assert kept() == before
    html = as_owner.get(f"{address}{conversation.pk}/").content.decode()
    actions = set(re.findall(r'<form[^>]* action="([^"]*)"', html))
    assert actions == {f"{address}close/", "/admin/logout/"}
    for verb in ("rename", "delete", "messages", "stop"):
        assert as_owner.post(f"/conversations/{conversation.pk}/{verb}/").status_code == 404


def test_the_page_keeps_the_policy(as_owner: Client, bob: User, conversation: Conversation) -> None:
    address = open_glass(as_owner, bob)
    other = User.objects.create_user("other")
    over = open_glass(as_owner, other)
    BreakGlass.objects.filter(person=other).update(until=timezone.now())
    for page in (start(User.objects.create_user("third")), address, f"{address}{conversation.pk}/", over):
        html = as_owner.get(page).content.decode()
        assert not re.search(r"<style|<[^>]*\s(style|on\w+)\s*=", html)
        assert not re.search(r"<script\b(?![^>]*\bsrc=)", html)


def test_the_person_is_told_by_mail(as_owner: Client, bob: User, settings: object) -> None:
    settings.MAIL_CONFIGURED = True  # type: ignore[attr-defined]
    open_glass(as_owner, bob)
    (message,) = mail.outbox
    assert message.to == [bob.email] and REASON in message.body and "admin" in message.body
    assert "http://testserver/accounts/" in message.body and "&" not in message.body


def test_mail_that_does_not_go_out_stops_nothing(as_owner: Client, bob: User, settings: object) -> None:
    settings.MAIL_CONFIGURED = True  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # type: ignore[attr-defined]
    assert as_owner.get(open_glass(as_owner, bob)).status_code == 200


def test_without_mail_nothing_is_sent(as_owner: Client, bob: User) -> None:
    open_glass(as_owner, bob)
    assert not mail.outbox
