"""Before it is sent: what several answers, or a question with much to read, could cost at most."""

import uuid
from decimal import Decimal

import pytest
from django.test import AsyncClient, Client

from tests.chat.asking import begin, last_answer, send, until_ended
from tests.chat.history import tell
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, UsageRecord
from webchat.background import in_database
from webchat.chat.models import Message

PRICES = {"prompt_price": Decimal(10), "completion_price": Decimal(30)}


@pytest.fixture
def priced(db: None) -> None:
    ModelInfo.objects.filter(name="gpt-4").update(**PRICES)


def line(client: Client, path: str = "/conversations/estimate/", **fields: object) -> str:
    sent = {"text": "Hello", "model": "gpt-4", **fields}
    response = client.post(path, sent, headers={"HX-Request": "true"})
    assert response.status_code == 200
    html = response.content.decode()
    return html.partition('<p class="composer__cost">')[2].partition("</p>")[0]


def test_one_short_question_is_not_worth_a_line(as_alice: Client, token: APIToken, priced: None) -> None:
    assert line(as_alice) == ""


def test_several_answers_are(as_alice: Client, token: APIToken, priced: None) -> None:
    said = line(as_alice, n=3, max_tokens=1000)
    assert said.startswith("At most 0.09") and "3 times to read about" in said and "up to 1,000" in said


def test_without_a_price_it_is_said_in_tokens(as_alice: Client, token: APIToken) -> None:
    said = line(as_alice, n=2, max_tokens=100)
    assert said.startswith("At most 2") and "USD" not in said


def test_much_to_read_is_too(as_alice: Client, alice: User, token: APIToken, priced: None) -> None:
    """More than half of what gpt-4 can take, or than 8,000 tokens."""
    conversation = tell(alice, "word " * 4_500, "Answer")
    said = line(as_alice, f"/conversations/{conversation.pk}/estimate/")
    assert "USD" in said and "an answer of up to" in said
    assert line(as_alice, text="word " * 7_000, model="gpt-4-1106-preview") == ""
    assert "At most" in line(as_alice, text="word " * 9_000, model="gpt-4-1106-preview")


async def test_what_is_said_is_what_is_reserved_then(
    alice_async: AsyncClient, alice: User, token: APIToken
) -> None:
    await in_database(Allocation.objects.grant, user=alice, token_limit=1_000_000)
    estimated = await send(
        alice_async, "/conversations/estimate/", htmx=True, text="Hello", model="gpt-4", n=2
    )
    await begin(alice_async, "Hello", n=2)
    record = await UsageRecord.objects.aget(source="chat")
    assert f"At most {record.reserved_tokens:,} tokens" in estimated.content.decode()


def test_what_would_be_refused_says_why(as_alice: Client, alice: User, token: APIToken) -> None:
    Allocation.objects.grant(user=alice, token_limit=1_000, max_n=2)
    assert "at most 2 answers at a time" in line(as_alice, n=3)
    assert "1,000 tokens are left" in line(as_alice, n=2, max_tokens=900)
    Allocation.objects.filter(user=alice).update(revoked_at=None, spent_tokens=0, token_limit=0)
    assert "used up" in line(as_alice, n=2)


def test_nobody_who_has_nothing_is_promised_anything(as_alice: Client, alice: User) -> None:
    assert "Nothing is allocated to you" in line(as_alice, n=2)


def test_nothing_is_kept_reserved_or_sent(as_alice: Client, alice: User, token: APIToken) -> None:
    granted = LedgerEntry.objects.count()
    conversation = tell(alice, "Question", "Answer")
    assert line(as_alice, f"/conversations/{conversation.pk}/estimate/", n=5, system="Be brief")
    assert not UsageRecord.objects.exists() and LedgerEntry.objects.count() == granted
    assert Message.objects.count() == 2
    conversation.refresh_from_db()
    assert (conversation.n, conversation.system) == (1, "")


@pytest.mark.parametrize(
    "fields", [{"text": ""}, {"n": "x"}, {"n": 9}, {"model": "none"}, {"max_tokens": -1}]
)
def test_what_makes_no_sense_has_no_price(
    as_alice: Client, token: APIToken, fields: dict[str, object]
) -> None:
    assert line(as_alice, **{"n": 2, **fields}) == ""


def test_without_scripts_a_button_brings_the_page_back_with_it(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    conversation = tell(alice, "Question", "Answer")
    url = f"/conversations/{conversation.pk}/estimate/"
    assert f'formaction="{url}"' in as_alice.get(conversation.get_absolute_url()).content.decode()
    html = as_alice.post(url, {"text": "My next question", "n": 2}).content.decode()
    assert "My next question" in html and "At most" in html and 'id="sidebar"' in html


def test_of_somebody_elses_conversation_nothing_is_said(as_bob: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Question", "Answer")
    for pk in (conversation.pk, uuid.uuid4()):
        assert as_bob.post(f"/conversations/{pk}/estimate/", {"text": "x", "n": 2}).status_code == 404


def test_it_can_only_be_posted_by_who_is_signed_in(as_alice: Client, client: Client) -> None:
    assert as_alice.get("/conversations/estimate/").status_code == 405
    assert client.post("/conversations/estimate/", {"text": "x"}).status_code == 302


async def test_the_composer_after_a_question_knows_how_much_there_is_to_read(
    alice_async: AsyncClient, token: APIToken
) -> None:
    conversation = await begin(alice_async, "echo: " + "word " * 3000)
    await until_ended(await last_answer(conversation))
    response = await send(
        alice_async, f"/conversations/{conversation.pk}/messages/", htmx=True, text="echo: more"
    )
    known = response.content.decode().partition('data-tokens-so-far="')[2].partition('"')[0]
    assert response.status_code == 200 and int(known) > 2000
    page = await alice_async.get(conversation.get_absolute_url())
    assert int(page.content.decode().partition('data-tokens-so-far="')[2].partition('"')[0]) > 2000
