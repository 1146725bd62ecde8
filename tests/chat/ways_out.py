"""How access ends: each way, with what becomes of the open socket and of the answer that is arriving."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db.models import ProtectedError
from django.test import AsyncClient
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken
from webchat.background import in_database
from webchat.chat.models import Conversation

PASSWORD, OTHER_PASSWORD = "correct horse battery", "a stable for the horse"
STAYS, GOES_ON = None, "streaming"


@dataclass
class Person:
    """Signed in by the form, in a browser; with a token of their own."""

    user: User
    token: APIToken
    browser: AsyncClient = field(default_factory=AsyncClient)

    @classmethod
    async def arrive(cls, name: str, upstream_url: str) -> "Person":
        user = await sync_to_async(User.objects.create_user)(
            name, f"{name}@example.org", PASSWORD, is_staff=True
        )
        token = await sync_to_async(APIToken.objects.all().add)(secret(), label=name, base_url=upstream_url)
        await in_database(Allocation.objects.grant, user=user, tokens=[token])
        return cls(user, token, await signed_in(user))

    async def elsewhere(self) -> AsyncClient:
        return await signed_in(self.user)

    @property
    def session(self):
        return Session.objects.filter(session_key=self.browser.cookies["sessionid"].value)


def secret() -> str:
    return f"sk-canary-{uuid.uuid4().hex}"


async def signed_in(user: User) -> AsyncClient:
    browser = AsyncClient()
    await post(browser, "/accounts/login/", login=user.username, password=PASSWORD)
    return browser


async def post(browser: AsyncClient, path: str, **fields: str) -> None:
    response = await browser.post(path, fields)
    assert response.status_code in (200, 302), (path, response.status_code)
    assert "errorlist" not in response.content.decode(), path


Act = Callable[[Person, Conversation], Awaitable[object]]


@dataclass(frozen=True)
class Way:
    act: Act
    socket: int | None
    answer: str


async def sign_out(person: Person, _conversation: Conversation) -> None:
    await post(person.browser, "/accounts/logout/")


async def sign_out_of_the_admin(person: Person, _conversation: Conversation) -> None:
    await post(person.browser, "/admin/logout/")


async def end_the_other_sessions(person: Person, _conversation: Conversation) -> None:
    await post(await person.elsewhere(), "/accounts/sessions/")


async def lose_the_session(person: Person, _conversation: Conversation) -> None:
    await person.session.adelete()


async def expire(person: Person, _conversation: Conversation) -> None:
    await person.session.aupdate(expire_date=timezone.now())


async def deactivate(person: Person, _conversation: Conversation) -> None:
    await sync_to_async(person.user.deactivate)()


async def deactivate_in_the_database(person: Person, _conversation: Conversation) -> None:
    await User.objects.filter(pk=person.user.pk).aupdate(is_active=False)


async def change_the_password_elsewhere(person: Person, _conversation: Conversation) -> None:
    await change_password(await person.elsewhere())


async def change_the_password_here(person: Person, _conversation: Conversation) -> None:
    await change_password(person.browser)


async def change_the_password_in_the_database(person: Person, _conversation: Conversation) -> None:
    person.user.set_password(OTHER_PASSWORD)
    await person.user.asave()


async def delete_the_conversation(person: Person, conversation: Conversation) -> None:
    await post(person.browser, f"{conversation.get_absolute_url()}delete/")


async def delete_it_in_another_process(_person: Person, conversation: Conversation) -> None:
    await Conversation.objects.filter(pk=conversation.pk).aupdate(deleted_at=timezone.now())


async def give_it_to_somebody_else(_person: Person, conversation: Conversation) -> None:
    heir = await User.objects.acreate(username=uuid.uuid4().hex)
    await Conversation.objects.filter(pk=conversation.pk).aupdate(owner=heir)


async def take_the_token_away(person: Person, _conversation: Conversation) -> None:
    await APIToken.objects.filter(pk=person.token.pk).aupdate(is_active=False)


async def delete_the_token(person: Person, _conversation: Conversation) -> None:
    """Not possible while a call has it on its record, and that is for ever."""
    try:
        await person.token.adelete()
    except ProtectedError:
        return
    raise AssertionError("a token was deleted from under its records")


async def rotate_the_token(person: Person, _conversation: Conversation) -> None:
    person.token.replace_secret(secret())
    await person.token.asave()


async def change_password(browser: AsyncClient) -> None:
    new = {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    await post(browser, "/accounts/password/change/", oldpassword=PASSWORD, **new)


WAYS = [
    Way(sign_out, 4401, "interrupted"),
    Way(sign_out_of_the_admin, 4401, "interrupted"),
    Way(end_the_other_sessions, 4401, "interrupted"),
    # F50: nobody ended it. The answer is there when its person has signed in again.
    Way(lose_the_session, 4401, GOES_ON),
    Way(expire, 4401, GOES_ON),
    Way(deactivate, 4401, "interrupted"),
    Way(deactivate_in_the_database, 4401, "interrupted"),
    Way(change_the_password_elsewhere, 4401, "interrupted"),
    Way(change_the_password_here, STAYS, GOES_ON),
    Way(change_the_password_in_the_database, 4401, "interrupted"),
    Way(delete_the_conversation, 4404, "stopped"),
    Way(delete_it_in_another_process, 4404, GOES_ON),
    Way(give_it_to_somebody_else, 4404, GOES_ON),
    Way(take_the_token_away, STAYS, "interrupted"),
    Way(delete_the_token, STAYS, GOES_ON),
    # F52: the next call uses the new one.
    Way(rotate_the_token, STAYS, GOES_ON),
]
