"""Who is in the bench's database? Run in a process of its own: it prints each person's session and conversations.

Signing in by the form would spend minutes on hashing passwords; the sessions here are made by the same sign-in.
"""

import json
import sys

import django

django.setup()

# Models can be imported only after Django is set up.
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402

from tests.bench.upstream import MODELS  # noqa: E402
from webchat import launcher  # noqa: E402
from webchat.accounts.models import User  # noqa: E402
from webchat.chat.models import Conversation  # noqa: E402

BATCH = 500


def main() -> None:
    people, conversations = map(int, sys.argv[1:])
    launcher.prepare()
    json.dump(make_team(people, conversations), sys.stdout)


@transaction.atomic
def make_team(people: int, conversations: int) -> list[tuple[str, list[str]]]:
    names = [f"person-{number}" for number in range(people)]
    team = [User(username=name, email=f"{name}@example.org") for name in names]
    User.objects.bulk_create(team, BATCH)
    return [(sign_in(person), ids) for person, ids in zip(team, begin(team, conversations), strict=True)]


def begin(team: list[User], count: int) -> list[list[str]]:
    """Empty conversations, so that asking is the first thing that happens in them."""
    made = [[Conversation(owner=person, model=MODELS[0]) for _ in range(count)] for person in team]
    Conversation.objects.bulk_create([one for of_person in made for one in of_person], BATCH)
    return [[str(one.pk) for one in of_person] for of_person in made]


def sign_in(person: User) -> str:
    browser = Client()
    browser.force_login(person)
    session: str = browser.cookies["sessionid"].value
    return session


if __name__ == "__main__":
    main()
