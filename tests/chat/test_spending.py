"""What people see of what it costs: a receipt below each answer, a running total, usage by conversation."""

from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.allocation.using import used
from tests.chat.asking import ask, begin, socket, until, until_ended
from tests.chat.history import add, tell
from tests.chat.page import Page
from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, ModelInfo
from webchat.chat.models import Conversation, Message

PRICES = {"prompt_price": Decimal(10), "completion_price": Decimal(30)}


def answered(conversation: Conversation, token: APIToken, *answers: str, **call: object) -> list[Message]:
    record = used(conversation.owner, token, n=len(answers), **call)  # type: ignore[arg-type]
    return [
        add(conversation, conversation.leaf, text, usage=record, choice=choice, state="complete")
        for choice, text in enumerate(answers)
    ]


def show(conversation: Conversation, message: Message) -> None:
    conversation.leaf = message
    conversation.save()


def words(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def facts(html: str) -> list[str]:
    root = Page(html).root
    answer = next(one for one in root.iter("li") if one.get("data-role") == "assistant")
    line = next(one for one in answer.iter("p") if one.get("class") == "message__facts")
    return [span.text or "" for span in line.iter("span")]


# The receipt


def test_a_receipt_says_all_that_a_call_took(as_alice: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Question")
    [answer] = answered(
        conversation, token, "Answer", prompt_tokens=1000, completion_tokens=234, answered_model="gpt-4-0613",
        first_token_ms=412, duration_ms=12_345, **PRICES,
    )  # fmt: skip
    show(conversation, answer)
    said = facts(words(as_alice, conversation.get_absolute_url()))
    assert said == [
        "gpt-4-0613, asked for as gpt-4", "1,234 tokens", "0.017 USD", "first word after 0.41 s", "12.3 s in all",
    ]  # fmt: skip


def test_an_estimate_is_called_one_and_nothing_costs_nothing(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    conversation = tell(alice, "Question")
    [answer] = answered(conversation, token, "Answer", origin="estimated")
    show(conversation, answer)
    assert facts(words(as_alice, conversation.get_absolute_url())) == ["gpt-4", "about 120 tokens, estimated"]


def test_answers_that_share_a_call_share_its_receipt(as_alice: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Question")
    answers = answered(conversation, token, "One", "Two", "Three", **PRICES)
    for answer in answers:
        show(conversation, answer)
        html = words(as_alice, conversation.get_absolute_url())
        assert facts(html)[1] == "120 tokens for 3 answers" and html.count("120 tokens for 3 answers") == 1


def test_what_failed_before_it_took_anything_has_none(as_alice: Client, alice: User, token: APIToken) -> None:
    conversation = tell(alice, "Question")
    [answer] = answered(
        conversation, token, "", prompt_tokens=0, completion_tokens=0, outcome="failed", duration_ms=9
    )
    Message.objects.filter(pk=answer.pk).update(state="failed", error_code="no_credit")
    show(conversation, answer)
    assert facts(words(as_alice, conversation.get_absolute_url())) == ["gpt-4"]


# The running total


def test_a_conversation_adds_up_all_its_branches_and_each_call_once(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    conversation = tell(alice, "Question")
    answered(conversation, token, "One", "Two", **PRICES)
    [again] = answered(conversation, token, "Again", **PRICES)
    show(conversation, again)
    assert "</span>240 tokens · 0.0032 USD</span>" in words(as_alice, conversation.get_absolute_url())


def test_without_a_call_there_is_no_total(as_alice: Client, alice: User, token: APIToken) -> None:
    html = words(as_alice, tell(alice, "Question", "Answer").get_absolute_url())
    assert 'id="conversation-total"' in html and "So far" not in html


async def test_an_open_page_is_told_the_new_total(alice_async: AsyncClient, token: APIToken) -> None:
    await ModelInfo.objects.filter(name="gpt-4").aupdate(**PRICES)
    conversation = await begin(alice_async, "echo: one")
    await until(Conversation.objects.filter(titled_by="model").aexists)
    page = Page((await alice_async.get(conversation.get_absolute_url())).content.decode())
    before = total_on(page)
    assert "tokens" in before and "USD" in before
    tab = socket(alice_async, conversation, f"?{query_of(page)}&seen={page.seen()}")
    await tab.connect()
    assert await tab.receive_nothing(0.3), "it shows everything already"
    await until_ended(await ask(alice_async, conversation, "echo: two"))
    while total_on(page) == before:
        page.apply(await tab.receive_from(timeout=5))
    fresh = Page((await alice_async.get(conversation.get_absolute_url())).content.decode())
    assert total_on(page) == total_on(fresh) != before
    await tab.disconnect()


def total_on(page: Page) -> str:
    total = page.find("#conversation-total")
    assert total is not None
    return "".join(total.itertext())


def query_of(page: Page) -> str:
    thread = page.find("#thread")
    assert thread is not None
    return thread.get("ws-connect", "").partition("?")[2]


# By conversation


def test_usage_by_conversation_adds_up_to_all_of_it(as_alice: Client, alice: User, token: APIToken) -> None:
    dear, cheap = tell(alice, "Question", title="Dear"), tell(alice, "Question", title="Cheap")
    answered(dear, token, "One", "Two", prompt_tokens=5000, completion_tokens=0, **PRICES)
    answered(cheap, token, "One", prompt_tokens=1000, completion_tokens=0, **PRICES)
    used(alice, token, 77, 0, source="title")
    html = words(as_alice, "/usage/conversations/", **{"HX-Request": "true"})
    assert html.index("Dear</a>") < html.index("Cheap</a>") < html.index("all the rest")
    assert "5,000" in html and "1,000" in html and ">77<" in html
    assert f'href="/conversations/{dear.pk}/"' in html


def test_what_was_deleted_is_counted_and_has_no_link(as_alice: Client, alice: User, token: APIToken) -> None:
    gone = tell(alice, "Question", title="Gone")
    answered(gone, token, "One")
    gone.delete_softly()
    html = words(as_alice, "/usage/conversations/", **{"HX-Request": "true"})
    assert "Gone" in html and "deleted" in html and f"/conversations/{gone.pk}/" not in html


def test_others_conversations_and_other_days_are_not_in_it(
    as_alice: Client, alice: User, bob: User, token: APIToken
) -> None:
    answered(tell(bob, "Question", title="Bob's"), token, "One")
    answered(tell(alice, "Question", title="Long ago"), token, "One", at=timezone.now() - timedelta(days=100))
    html = words(as_alice, "/usage/conversations/", **{"HX-Request": "true"})
    assert "Bob" not in html and "Long ago" not in html and "No conversation took anything" in html


def test_a_part_of_the_page_for_htmx_a_page_of_its_own_without(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    answered(tell(alice, "Question"), token, "One")
    assert 'hx-get="/usage/conversations/?first=' in words(as_alice, "/usage/")
    part = as_alice.get("/usage/conversations/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "<table" in part
    assert 'id="sidebar"' in words(as_alice, "/usage/conversations/")


def test_it_is_one_query_by_the_persons_calls(as_alice: Client, alice: User, token: APIToken) -> None:
    for number in range(5):
        answered(tell(alice, "Question", title=f"{number}"), token, "One")
    with CaptureQueriesContext(connection) as asked:
        words(as_alice, "/usage/conversations/")
    assert len(asked) <= 8
    [sql] = [one["sql"] for one in asked if "JOIN" in one["sql"] and "chat_message" in one["sql"]]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "SCAN" not in plan.replace("SCAN (subquery", ""), plan


# Nothing left


def test_who_has_nothing_left_is_told_so_with_a_way_to_see_it(
    as_alice: Client, alice: User, token: APIToken
) -> None:
    mine = Allocation.objects.grant(user=alice, token_limit=100)
    mine.adjust(tokens=100, actor=None, reason="as if spent")
    for headers in ({}, {"HX-Request": "true"}):
        response = as_alice.post(
            "/conversations/", {"text": "My question", "model": "gpt-4"}, headers=headers
        )
        html = response.content.decode()
        assert response.status_code == 429 and "My question" in html
        assert "Your allocation is used up. It is renewed on" in html
        assert '<a href="/usage/">See what is left</a>' in html
