"""How long does it take to admit a call, and to book what it took? Run in a process of its own, beside the portal."""

import json
import sys
import time

import django

django.setup()

# Models can be imported only after Django is set up.
from django.db import transaction  # noqa: E402

from tests.bench.ledger_rows import BUSIEST  # noqa: E402
from webchat.accounts.models import User  # noqa: E402
from webchat.allocation import metering  # noqa: E402
from webchat.allocation.metering import Spent  # noqa: E402
from webchat.allocation.models import Need  # noqa: E402
from webchat.upstream.wire import Usage  # noqa: E402

TIMES, WARM_UP = 400, 20


def main() -> None:
    person = User.objects.get(username=BUSIEST)
    taken = [once(person) for _ in range(WARM_UP + TIMES)]
    json.dump(taken[WARM_UP:], sys.stdout)


def once(person: User) -> tuple[float, float]:
    """Milliseconds, each with its COMMIT."""
    began = time.perf_counter()
    with transaction.atomic():
        record = metering.reserve(person, source="chat", model="gpt-4", need=Need(prompt_tokens=400))
    reserved = time.perf_counter()
    metering.settle(record, Spent("complete", Usage(400, 200, 600), first_token_ms=500, duration_ms=4000))
    return (reserved - began) * 1000, (time.perf_counter() - reserved) * 1000


if __name__ == "__main__":
    main()
