"""What a list must not say: told in a sentence for the line or for the whole, and nothing of it is done."""

import pytest
from django.test import Client

from tests.backoffice.lists import carry_out, preview, refusal
from tests.conftest import signed_in
from webchat.accounts.models import Invitation, User
from webchat.allocation.models import ModelInfo


@pytest.fixture
def desk(admin: User) -> Client:
    ModelInfo.objects.update_or_create(name="gpt-4", defaults={"kind": "chat", "is_available": True})
    return signed_in(Client(), admin)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ("dora@example,1,,", "This is no e-mail address."),
        ("dora@example.org,-5,,", "“-5” is no whole number of tokens."),
        ("dora@example.org,0,,", "Zero grants nothing."),
        ("dora@example.org,1e9,,", "“1e9” is no whole number"),
        ("dora@example.org,1.000,,", "“1.000” is no whole number"),
        ("dora@example.org,99999999999999999999,,", "token_limit:"),
        ("dora@example.org,,NaN,", "“NaN” is no amount of money."),
        ("dora@example.org,,Infinity,", "“Infinity” is no amount of money."),
        ("dora@example.org,,-1,", "“-1” is no amount of money."),
        ("dora@example.org,,99999999999,", "cost_limit:"),
        ("dora@example.org,5,,gpt-5;gpt-4", "No such model is offered: gpt-5."),
        ("dora@example.org,,,gpt-4", "Say how much"),
        ("=HYPERLINK(1),5,,", "“email” begins like a formula"),
        ("@SUM(A1),5,,", "“email” begins like a formula"),
        ("dora@example.org,5", "There are 2 cells, but 4 columns."),
        (",5,,", "Nobody is called that."),
        ("admin@example.org,5,,\nAdmin@example.org,6,,", "This person stands in line 2 already."),
    ],
)
def test_what_is_wrong_with_a_line_is_said_and_the_others_are_done(
    desk: Client, cells: str, sentence: str
) -> None:
    shown, plan = preview(desk, f"email,token_limit,cost_limit,models\n{cells}\neve@example.org,5,,gpt-4\n")
    wrong = [text for verb, text in shown if verb == "wrong"]
    assert len(wrong) == 1 and sentence in wrong[0]
    done, links = carry_out(desk, plan)
    assert [verb for verb, _said in done] == ["yes"] * (len(shown) - 1)
    assert len(links) == 1


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("2020-01-01", "is over already"),
        ("tomorrow", "is no day"),
        ("2026-02-30", "is no day"),
        ("9999-12-31", "is no day"),
    ],
)
def test_a_day_that_is_none_is_refused(desk: Client, cell: str, sentence: str) -> None:
    ((verb, text),), _plan = preview(desk, f"email,token_limit,valid_until\ndora@example.org,5,{cell}\n")
    assert verb == "wrong" and sentence in text


def test_people_that_do_not_fit_together_are_refused(desk: Client, alice: User, bob: User) -> None:
    bob.deactivate()
    User.objects.create_user("twin", "alice@example.org")
    text = "username,email,token_limit,group\nalice,bob@example.org,5,\nbob,,5,\n,alice@example.org,5,\n"
    text += "ghost,,5,\nghost,bob@example.org,5,\nadmin,,5,Nowhere\n"
    shown, plan = preview(desk, text)
    assert [verb for verb, _said in shown] == ["wrong"] * 6
    for (_verb, line), sentence in zip(
        shown,
        [
            "alice is here with another e-mail address",
            "This person is deactivated",
            "Several people have this address",
            "Nobody is called that",
            "Who has this address is called bob",
            "There is no group “Nowhere”",
        ],
        strict=True,
    ):
        assert sentence in line


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "Choose a file, or paste its lines."),
        ("\n\n", "This is empty."),
        ("name,amount\nalice,5\n", "columns that are not known: “name”, “amount”"),
        ("email,email\na,b\n", "names a column twice"),
        ("token_limit\n5\n", "“email” or “username” among them"),
        ("email,token_limit\n", "no line below it"),
        ('email,note\n"dora@example.org,5\n', "no well-formed CSV"),
        (b"PK\x03\x04rest of a workbook", "a workbook of a spreadsheet"),
        (b"email\n\xff\xff\xff\n", "neither UTF-8 nor GBK"),
        (b"email\na\0b\n", "This is no text."),
        ("email\n" + "x@example.org\n" * 10_000, "more than 1,000 lines"),
        (b"email\n" + b"x" * 50_000_000, "This file is too large"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(desk: Client, data: str | bytes, sentence: str) -> None:
    assert sentence in refusal(desk, data)
    assert not Invitation.objects.exists()
