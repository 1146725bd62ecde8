"""An admin says what models cost and can do; which there are, the upstream says."""

import html
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client

from tests.allocation.small_upstream import SmallUpstream
from tests.chat.page import Page
from tests.conftest import signed_in
from webchat.accounts.models import User
from webchat.allocation import metering
from webchat.allocation.models import Allocation, APIToken, ModelInfo, Need
from webchat.upstream.errors import describe

LIST = "/admin/allocation/modelinfo/"
UNPRICED = "Budgets in money do not count"


@pytest.fixture
def as_admin(admin: User) -> Client:
    return signed_in(Client(), admin)


@pytest.fixture
def bought(transactional_db: None, small_upstream: SmallUpstream) -> APIToken:
    return APIToken.objects.all().add("sk-bought-and-good", label="Small", base_url=small_upstream.url)


def filled(client: Client, path: str) -> dict[str, str]:
    """What a browser would send of the form on this page, if nothing was typed."""
    sent = {}
    for element in Page(client.get(path).content.decode()).root.iter():
        name, kind = element.get("name"), element.get("type")
        if element.tag == "select" and name and name != "action":
            chosen = [one for one in element.iter("option") if "selected" in one.attrib]
            sent[name] = chosen[0].get("value", "") if chosen else ""
        elif element.tag == "input" and name and name not in ("q", "csrfmiddlewaretoken", "language", "next"):
            is_box = kind in ("checkbox", "radio")
            if kind != "submit" and (not is_box or "checked" in element.attrib):
                sent[name] = element.get("value", "on" if is_box else "")
    return sent


def said(response: HttpResponse) -> str:
    return html.unescape(response.content.decode())


def page_of(name: str) -> str:
    return f"{LIST}{ModelInfo.objects.get(name=name).pk}/change/"


def row_of(fields: dict[str, str], name: str) -> str:
    pk = str(ModelInfo.objects.get(name=name).pk)
    return next(
        key.rpartition("-")[0] for key, value in fields.items() if key.endswith("-id") and value == pk
    )


def test_prices_are_typed_in_the_list(as_admin: Client, alice: User, token: APIToken) -> None:
    fields = filled(as_admin, LIST)
    row = row_of(fields, "gpt-4")
    assert fields[f"{row}-prompt_price"] == "0" and fields["form-TOTAL_FORMS"] == "16"
    fields |= {f"{row}-prompt_price": "30", f"{row}-completion_price": "60.25", f"{row}-label": "GPT four"}
    response = as_admin.post(LIST, {**fields, "_save": "Save"}, follow=True)
    assert "1 model was changed successfully." in said(response)
    model = ModelInfo.objects.get(name="gpt-4")
    assert (model.label, model.prompt_price, model.completion_price) == ("GPT four", 30, Decimal("60.25"))
    assert model.is_available and model.is_enabled
    record = metering.reserve(alice, source="chat", model="gpt-4", need=Need(1000, 1000))
    assert record.reserved_cost == Decimal("0.09025")


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("-1", "greater than or equal to 0"),
        ("NaN", "Enter a number."),
        ("inf", "Enter a number."),
        ("1e400", "Ensure that there are no more than"),
        ("1000000001", "less than or equal to 1000000000"),
        ("0.0000000001", "no more than 9 decimal places"),
        ("much", "Enter a number."),
    ],
)
@pytest.mark.parametrize("where", ["list", "page"])
def test_what_is_no_price_is_refused_in_words(
    as_admin: Client, where: str, price: str, sentence: str
) -> None:
    path = LIST if where == "list" else page_of("gpt-4")
    fields = filled(as_admin, path)
    name = f"{row_of(fields, 'gpt-4')}-prompt_price" if where == "list" else "prompt_price"
    response = as_admin.post(path, {**fields, name: price, "_save": "Save"})
    assert response.status_code == 200 and sentence in said(response)
    assert ModelInfo.objects.get(name="gpt-4").prompt_price == 0


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("temperature_low", "NaN", "Enter a number."),
        ("temperature_high", "1.5", "less than or equal to 1"),
        ("one_answer_below", "-1", "greater than or equal to 0"),
        ("max_n", "9", "less than or equal to 5"),
        ("max_tokens", "0", "greater than or equal to 1"),
        ("context_length", "99999999999", "less than or equal to 10000000"),
        ("kind", "video", "Select a valid choice."),
    ],
)
def test_what_is_no_rule_is_refused_in_words(as_admin: Client, field: str, typed: str, sentence: str) -> None:
    path = page_of("gpt-4")
    response = as_admin.post(path, {**filled(as_admin, path), field: typed})
    assert response.status_code == 200 and sentence in said(response)


def test_abilities_and_rules_are_said_on_its_page(as_admin: Client) -> None:
    path = page_of("gpt-4")
    typed = {"temperature_low": "0.5", "temperature_high": "0.5", "has_vision": "on", "image_price": "0.04"}
    assert as_admin.post(path, {**filled(as_admin, path), **typed}).status_code == 302
    model = ModelInfo.objects.get(name="gpt-4")
    assert (model.only_temperature, model.has_vision, model.image_price) == (0.5, True, Decimal("0.04"))
    assert model.is_available and model.name == "gpt-4"


def test_the_list_itself_is_the_upstreams(as_admin: Client) -> None:
    assert as_admin.get(f"{LIST}add/").status_code == 403
    assert as_admin.post(page_of("gpt-4").replace("change", "delete"), {"post": "yes"}).status_code == 403
    as_admin.post(
        page_of("gpt-4"), {**filled(as_admin, page_of("gpt-4")), "name": "mine", "is_available": ""}
    )
    assert ModelInfo.objects.get(name="gpt-4").is_available


@pytest.mark.parametrize("where", ["list", "page"])
def test_of_two_who_edit_at_once_the_second_is_told(as_admin: Client, where: str) -> None:
    path = LIST if where == "list" else page_of("gpt-4")
    fields = filled(as_admin, path)
    row = f"{row_of(fields, 'gpt-4')}-" if where == "list" else ""
    ModelInfo.objects.filter(name="gpt-4").update(prompt_price=7)
    response = as_admin.post(path, {**fields, f"{row}label": "Mine", "_save": "Save"})
    sentence = "Somebody else has changed this meanwhile: Per million prompt tokens."
    assert response.status_code == 200 and sentence in said(response)
    assert (ModelInfo.objects.get(name="gpt-4").label, ModelInfo.objects.get(name="gpt-4").prompt_price) == (
        "",
        7,
    )


def test_a_page_left_open_undoes_nothing_in_other_rows(as_admin: Client) -> None:
    fields = filled(as_admin, LIST)
    ModelInfo.objects.filter(name="claude-2.1").update(prompt_price=7, is_enabled=False)
    fields[f"{row_of(fields, 'gpt-4')}-label"] = "Mine"
    assert as_admin.post(LIST, {**fields, "_save": "Save"}).status_code == 302
    claude = ModelInfo.objects.get(name="claude-2.1")
    assert (claude.prompt_price, claude.is_enabled) == (7, False)


def test_what_budgets_in_money_do_not_count_is_said(as_admin: Client, alice: User, token: APIToken) -> None:
    assert UNPRICED not in said(as_admin.get(LIST))
    mine = Allocation.objects.grant(user=alice, cost_limit=Decimal(5))
    page = said(as_admin.get(LIST))
    assert f"{UNPRICED} 16 models" in page and "gpt-3.5-turbo, gpt-4" in page and ", …" in page
    every = dict.fromkeys(["prompt_price", "character_price", "minute_price", "image_price"], 1)
    ModelInfo.objects.exclude(name="gpt-4").update(**every)
    page = said(as_admin.get(LIST))
    assert f"{UNPRICED} 1 model, since no price is set. Enter what it costs: gpt-4\n" in page
    ModelInfo.objects.filter(name="gpt-4").update(minute_price=1)
    assert UNPRICED in said(as_admin.get(LIST))
    ModelInfo.objects.filter(name="gpt-4").update(is_enabled=False)
    assert UNPRICED not in said(as_admin.get(LIST))
    ModelInfo.objects.update(is_enabled=True)
    mine.revoke(actor=None)
    assert UNPRICED not in said(as_admin.get(LIST))


def test_the_upstream_is_asked_with_a_button(
    admin: User, bought: APIToken, small_upstream: SmallUpstream
) -> None:
    ModelInfo.objects.exclude(name__in=["gpt-4", "bing"]).update(is_available=False)
    small_upstream.models = ["gpt-4", "brand-new"]
    browser = signed_in(Client(), admin)
    assert "Ask the AI service for its models" in said(browser.get(LIST))
    page = said(browser.post(f"{LIST}sync/", follow=True))
    assert "It lists 2 models." in page and "New: brand-new" in page and "Gone: bing" in page
    assert "Nothing has changed." in said(browser.post(f"{LIST}sync/", follow=True))
    assert browser.get(f"{LIST}sync/").status_code == 405


def test_only_admins_may(as_alice: Client, token: APIToken, client: Client) -> None:
    for browser in (as_alice, client):
        for response in (browser.get(LIST), browser.post(f"{LIST}sync/")):
            assert response.status_code == 302 and "/login/" in response["Location"]
    assert not ModelInfo.objects.exclude(seen_at=None).exists()


def test_or_with_a_command(bought: APIToken, small_upstream: SmallUpstream) -> None:
    small_upstream.models = ["claude-2.1", "brand-new"]
    out = StringIO()
    call_command("sync_models", stdout=out)
    first, new, gone = out.getvalue().splitlines()
    assert (first, new) == ("It lists 2 models.", "New: brand-new") and gone.startswith(
        "Gone: gpt-3.5-turbo, gpt-4, "
    )


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"is_active": False}, "There is no API token that is in use."),
        ({"base_url": "http://127.0.0.1:9"}, f"Small (…good): {describe('unreachable', {})}"),
        ({"sealed": "never sealed"}, "VAULT_KEYS does not open this token."),
    ],
)
def test_why_it_could_not_be_asked_is_said_in_words(
    admin: User, bought: APIToken, trouble: dict[str, Any], sentence: str
) -> None:
    APIToken.objects.update(**trouble)
    with pytest.raises(CommandError) as refusal:
        call_command("sync_models")
    assert sentence in str(refusal.value) and refusal.value.returncode == 1
    assert sentence in said(signed_in(Client(), admin).post(f"{LIST}sync/", follow=True))
    assert ModelInfo.objects.offered().count() == 16


def test_a_token_that_is_refused_is_passed_over(
    bought: APIToken, small_upstream: SmallUpstream, token: APIToken
) -> None:
    small_upstream.listing_status = 401
    call_command("sync_models", stdout=StringIO())
    bought.refresh_from_db()
    assert bought.last_error == "token_refused"
    assert ModelInfo.objects.filter(name="demo-slow", is_available=True).exists()
