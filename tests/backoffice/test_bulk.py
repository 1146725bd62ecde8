"""Many are invited and granted to from a list: shown first, then done as shown, each line by itself."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.backoffice.lists import URL, carry_out, preview, rows, said, sign_up
from tests.conftest import signed_in
from webchat.accounts.models import Invitation, User
from webchat.allocation import proof
from webchat.allocation.models import Allocation, LedgerEntry, ModelInfo, PendingGrant
from webchat.backoffice.bulk import plan as planning
from webchat.backoffice.bulk import table


@pytest.fixture
def desk(admin: User) -> Client:
    ModelInfo.objects.update_or_create(name="gpt-4", defaults={"kind": "chat", "is_available": True})
    ModelInfo.objects.update_or_create(name="qwen-max", defaults={"kind": "chat", "is_available": True})
    return signed_in(Client(), admin)


def test_strangers_are_invited_and_get_what_was_promised_when_they_come(desk: Client, admin: User) -> None:
    text = "email,group,token_limit,cost_limit,period,models,valid_until,note\n"
    text += 'dora@example.org,Research,"1,000,000",2.50,week,gpt-4;qwen-max,2099-01-31,hello\n'
    shown, plan = preview(desk, text, creates_groups="on")
    assert [verb for verb, _said in shown] == ["invite"]
    assert "1,000,000 tokens · 2.50 USD · each week · gpt-4, qwen-max · until 01/31/2099" in shown[0][1]
    assert not Invitation.objects.exists() and not Group.objects.exists()
    done, links = carry_out(desk, plan)
    assert [verb for verb, _said in done] == ["yes"] and len(links) == 1
    assert not Allocation.objects.exists()
    dora = sign_up(links[0], "dora", "dora@example.org")
    theirs = dora.allocations.get()
    assert (theirs.token_limit, theirs.cost_limit, theirs.period) == (1_000_000, Decimal("2.5"), "week")
    assert theirs.allowed_models == ["gpt-4", "qwen-max"] and theirs.note == "hello"
    assert timezone.localtime(theirs.valid_until).date().isoformat() == "2099-01-31"
    assert [group.name for group in dora.groups.all()] == ["Research"]
    assert LedgerEntry.objects.get(kind="grant").actor == admin
    assert PendingGrant.objects.get().kept_at
    assert list(proof.problems()) == []


def test_an_invitation_without_a_promise_gives_nothing(desk: Client) -> None:
    _shown, plan = preview(desk, "email\ndora@example.org\n")
    _done, (link,) = carry_out(desk, plan)
    dora = sign_up(link, "dora", "dora@example.org")
    assert not PendingGrant.objects.exists() and not dora.allocations.exists() and not dora.groups.exists()


def test_who_is_here_is_granted_to_at_once_by_name_or_address(desk: Client, alice: User, bob: User) -> None:
    text = "username;email;token_limit\nALICE;;1000\n;Bob@Example.org;unlimited\n"
    shown, plan = preview(desk, text)
    assert [verb for verb, _said in shown] == ["grant", "grant"]
    done, links = carry_out(desk, plan)
    assert [verb for verb, _said in done] == ["yes", "yes"] and links == []
    assert alice.allocations.get().token_limit == 1000
    assert bob.allocations.get().token_limit is None
    assert list(proof.problems()) == []


def test_what_is_there_already_is_added_to_or_changed(desk: Client, alice: User, bob: User) -> None:
    Allocation.objects.grant(user=alice, token_limit=10, period="day", note="old")
    text = "username,token_limit\nalice,1000\nbob,2000\n"
    added, _plan = preview(desk, text)
    assert [verb for verb, _said in added] == ["grant", "grant"]
    assert "beside what is granted already" in added[0][1]
    changed, plan = preview(desk, text, existing="change")
    assert [verb for verb, _said in changed] == ["change", "grant"]
    carry_out(desk, plan)
    kept = alice.allocations.get()
    assert (kept.token_limit, kept.period, kept.note, kept.version) == (1000, "day", "old", 1)
    assert bob.allocations.get().token_limit == 2000
    assert list(proof.problems()) == []


def test_done_twice_it_is_done_once(desk: Client, alice: User) -> None:
    _shown, plan = preview(desk, "email,token_limit\nalice@example.org,1000\ndora@example.org,1000\n")
    first, links = carry_out(desk, plan)
    second, none = carry_out(desk, plan)
    assert [verb for verb, _said in first] == ["yes", "yes"] and len(links) == 1
    assert [verb for verb, _said in second] == ["no", "no"] and none == []
    assert "has changed since the preview" in second[0][1]
    assert alice.allocations.count() == Invitation.objects.count() == PendingGrant.objects.count() == 1


def test_of_what_has_changed_meanwhile_only_that_line_is_not_done(
    desk: Client, alice: User, bob: User, charlie: User
) -> None:
    granted = Allocation.objects.grant(user=alice, token_limit=10)
    Group.objects.create(name="Research")
    text = "email,group,token_limit\nalice@example.org,,1000\nbob@example.org,,1000\n"
    text += "charlie@example.org,Research,1000\ndora@example.org,,1000\neve@example.org,,1000\n"
    _shown, plan = preview(desk, text, existing="change")
    granted.change(version=0, actor=None, token_limit=20)
    bob.deactivate()
    Group.objects.all().delete()
    User.objects.create_user("dora", "Dora@example.org")
    done, links = carry_out(desk, plan)
    assert [verb for verb, _said in done] == ["no", "no", "no", "no", "yes"] and len(links) == 1
    assert alice.allocations.get().token_limit == 20
    assert not charlie.allocations.exists() and not bob.allocations.exists()


def test_invited_anew_only_the_new_link_opens(desk: Client) -> None:
    _shown, plan = preview(desk, "email,token_limit\ndora@example.org,1000\n")
    _done, (old,) = carry_out(desk, plan)
    shown, plan = preview(desk, "email,token_limit\nDORA@example.org,2000\n")
    assert "the earlier link stops working" in shown[0][1]
    _done, (new,) = carry_out(desk, plan)
    assert Client().get(old).status_code == 404
    dora = sign_up(new, "dora", "dora@example.org")
    assert dora.allocations.get().token_limit == 2000


def test_a_plan_is_what_was_signed_for_whom_and_not_older_than_an_hour(desk: Client, alice: User) -> None:
    _shown, plan = preview(desk, "username,token_limit\nalice,1000\n")
    other = signed_in(Client(), User.objects.create_superuser("other", "other@example.org"))
    assert "Somebody else made this preview" in said(other.post(URL, {"plan": plan}).content.decode())
    assert "not what was shown" in said(desk.post(URL, {"plan": f"{plan[:-3]}abc"}).content.decode())
    assert not alice.allocations.exists()


def test_every_way_in_which_a_spreadsheet_saves_is_read(desk: Client) -> None:
    text = "email\tgroup\ttoken_limit\r\n\r\ndora@example.org\t研究组\t5\r\n"
    for encoding, is_gbk in [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("gbk", True)]:
        answer = desk.post(
            URL,
            {
                "file": SimpleUploadedFile("list.csv", text.encode(encoding)),
                "existing": "add",
                "creates_groups": "on",
            },
        )
        page = said(answer.content.decode())
        assert "dora@example.org" in page and "研究组" in page, encoding
        assert ("read as GBK" in page) == is_gbk


def test_lines_can_be_pasted(desk: Client, alice: User) -> None:
    answer = desk.post(URL, {"pasted": "username,token_limit\nalice,1000\n", "existing": "add"})
    assert [verb for verb, _said in rows(answer.content.decode())] == ["grant"]


def test_invitations_go_by_mail_where_there_is_mail(desk: Client, settings: Any) -> None:
    settings.MAIL_CONFIGURED = True
    _shown, plan = preview(desk, "email,token_limit\ndora@example.org,5\n")
    done, (link,) = carry_out(desk, plan)
    assert "sent by e-mail" in done[0][1]
    (sent,) = mail.outbox
    assert sent.to == ["dora@example.org"] and link in sent.body


def test_a_mail_server_that_is_away_is_asked_once_and_nothing_is_lost(desk: Client, settings: Any) -> None:
    settings.MAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    _shown, plan = preview(desk, "email\ndora@example.org\neve@example.org\n")
    done, links = carry_out(desk, plan)
    assert len(links) == 2 and all("could not be sent; send the link yourself" in text for _v, text in done)


def test_who_may_not_grant_does_not_get_there(admin: User, alice: User) -> None:
    assert signed_in(Client(), alice).get(URL).status_code == 302
    assert Client().get(URL).status_code == 302
    page = signed_in(Client(), admin).get("/admin/allocation/allocation/").content.decode()
    assert 'href="/admin/bulk/"' in page


def test_who_grants_but_does_not_invite_is_told_so(alice: User) -> None:
    read = table.read(b"email,token_limit\nalice@example.org,5\ndora@example.org,5\n")
    steps = planning.make(read.lines, planning.Wishes(may_invite=False))
    assert [step.verb for step in steps] == ["grant", "wrong"]
    assert "only owners invite" in steps[1].sentence


def test_an_expired_invitation_promises_nothing_any_more(desk: Client) -> None:
    _shown, plan = preview(desk, "email,token_limit\ndora@example.org,5\n")
    _done, (link,) = carry_out(desk, plan)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert Client().get(link).status_code == 404
    ((_verb, text),), _plan = preview(desk, "email,token_limit\ndora@example.org,5\n")
    assert "Will be invited. " in text
