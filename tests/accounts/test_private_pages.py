import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory

from webchat.accounts.middleware import private_pages


def answer_with(cache_control: str = ""):
    def view(request):
        return HttpResponse("x", headers={"Cache-Control": cache_control} if cache_control else {})

    return view


def directives(response) -> set[str]:
    return set(response.get("Cache-Control", "").split(", ")) - {""}


@pytest.mark.parametrize("path", ["/accounts/", "/accounts/sessions/", "/accounts/2fa/", "/conversations/"])
def test_pages_of_signed_in_people_are_kept_nowhere(sign_in, path):
    assert {"private", "no-store"} <= directives(sign_in().get(path))


@pytest.mark.parametrize("path", ["login/", "signup/", "password/reset/", "invitations/x/"])
def test_nor_are_pages_under_accounts(client, db, path):
    assert {"private", "no-store"} <= directives(client.get(f"/accounts/{path}"))


def test_what_a_stranger_sees_elsewhere_is_left_alone(rf):
    assert directives(private_pages(answer_with())(rf.get("/healthz"))) == set()


def test_public_becomes_private_and_stricter_stays(rf):
    rf.cookies["sessionid"] = "x"
    assert directives(private_pages(answer_with("public"))(rf.get("/x"))) == {"private", "no-store"}
    strict = "max-age=0, no-cache, no-store, must-revalidate, private"
    assert directives(private_pages(answer_with(strict))(rf.get("/x"))) == set(strict.split(", "))


async def test_it_works_in_an_asynchronous_chain_without_touching_the_database():
    async def view(request):
        return HttpResponse("x")

    factory = AsyncRequestFactory()
    factory.cookies["sessionid"] = "x"
    assert directives(await private_pages(view)(factory.get("/x"))) == {"private", "no-store"}
