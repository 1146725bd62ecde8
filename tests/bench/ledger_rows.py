"""Who has used the portal for long? Run in a process of its own: a million calls of two hundred people, and their books.

It prints the sessions of an admin and of whoever asked most. The database makes the rows itself: through the ORM they
would take ten minutes.
"""

import json
import sys
import time
from datetime import date
from decimal import Decimal
from typing import Any

import django

django.setup()

# Models can be imported only after Django is set up.
from django.contrib.auth.models import Group  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model, Sum  # noqa: E402

from tests.bench.team import BATCH, sign_in  # noqa: E402
from webchat.accounts.models import User  # noqa: E402
from webchat.allocation.models import (  # noqa: E402
    Allocation,
    APIToken,
    LedgerEntry,
    ModelInfo,
    UsageDay,
    UsageRecord,
)

CALLS, PEOPLE, GROUPS, DAYS = 1_000_000, 200, 10, 90
CACHE_KIB = 400 * 1024
# Of each fifty calls one is of the busiest, who is the first of the people.
BUSIEST = "spender-0"
PRICES = {"gpt-4": (30, 60), "gpt-3.5-turbo": (1, 2), "qwen-plus": (3, 3), "claude-2.1": (8, 24)}
SQLITE = {
    "id": "lower(hex(randomblob(16)))",
    "moment": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || {seconds} || ' seconds')",
}
POSTGRESQL = {
    "id": "gen_random_uuid()",
    "moment": "now() - CAST({seconds} AS double precision) * interval '1 second'",
}
PEOPLE_TABLE = (
    "CREATE TEMPORARY TABLE bench_people (number integer PRIMARY KEY, user_id {id}, allocation_id {id})"
)
MODELS_TABLE = """
    CREATE TEMPORARY TABLE bench_models
    (number integer PRIMARY KEY, name varchar(200), prompt_price bigint, completion_price bigint)
"""
# Each call by its number, with dice: a congruential generator is good enough, and the same everywhere.
CALLS_MADE = """
    WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < {last}),
    thrown AS (SELECT i, (CAST(i AS bigint) * 1103515245 + 12345) % 2147483648 / 65536 AS dice FROM numbers),
    calls AS (
        SELECT i, dice, dice % 1900 + 20 AS prompt_tokens, dice % 613 + 5 AS completion_tokens,
            CASE WHEN i % 50 = 0 THEN 0 ELSE dice % {people} END AS person
        FROM thrown
    )
    SELECT {columns}
    FROM calls
    JOIN bench_people ON bench_people.number = person
    JOIN bench_models ON bench_models.number = (person + i % 2) % {models}
"""


def main() -> None:
    began = time.perf_counter()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Keys are random: with 2 MiB of pages in memory nearly every row would be a look at the file.
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    with transaction.atomic():
        made = make(CALLS)
    seconds = time.perf_counter() - began
    json.dump({**made, "seconds": seconds, "calls": CALLS}, sys.stdout)


def make(calls: int) -> dict[str, Any]:
    people, tokens = make_people(), make_tokens()
    make_prices()
    prepare_tables(people)
    make_calls(calls, people[0], tokens)
    make_entries()
    add_up()
    make_days()
    admin = User.objects.create_superuser("bench-admin", "bench-admin@example.org")
    return {"admin": sign_in(admin), "person": sign_in(people[0])}


def make_people() -> list[User]:
    people = [User(username=f"spender-{number}", email=f"{number}@bench.example") for number in range(PEOPLE)]
    User.objects.bulk_create(people, BATCH)
    groups = [Group.objects.create(name=f"Bench {number}") for number in range(GROUPS)]
    for number, person in enumerate(people):
        groups[number % GROUPS].user_set.add(person)
    return people


def make_tokens() -> list[APIToken]:
    add = APIToken.objects.all().add
    return [
        add(f"sk-bench-ledger-{n}", label=f"Bench {n}", base_url="https://api.example.org") for n in (1, 2)
    ]


def make_prices() -> None:
    for name, (prompt, completion) in PRICES.items():
        prices = {"prompt_price": Decimal(prompt), "completion_price": Decimal(completion)}
        ModelInfo.objects.update_or_create(name=name, defaults={"kind": "chat", **prices})


def prepare_tables(people: list[User]) -> None:
    """The busiest have an allocation of their own, the others share one in each group."""
    limits: dict[str, Any] = {"token_limit": 10**13, "cost_limit": Decimal(10**8), "period": "once"}
    shared = {
        group.name: Allocation.objects.grant(group=group, **limits)
        for group in Group.objects.filter(name__startswith="Bench")
    }
    own = Allocation.objects.grant(user=people[0], **limits)
    key = User._meta.pk.get_db_prep_value
    rows = [
        (
            number,
            key(person.pk, connection),
            key((shared[f"Bench {number % GROUPS}"] if number else own).pk, connection),
        )
        for number, person in enumerate(people)
    ]
    with connection.cursor() as cursor:
        kind = "char(32)" if connection.vendor == "sqlite" else "uuid"
        cursor.execute(PEOPLE_TABLE.format(id=kind))
        cursor.executemany("INSERT INTO bench_people VALUES (%s, %s, %s)", rows)
        cursor.execute(MODELS_TABLE)
        cursor.executemany(
            "INSERT INTO bench_models VALUES (%s, %s, %s, %s)",
            [
                (n, name, 10**9 * prompt, 10**9 * answer)
                for n, (name, (prompt, answer)) in enumerate(PRICES.items())
            ],
        )


def make_calls(calls: int, person: User, tokens: list[APIToken]) -> None:
    words = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    seconds = f"(({calls} - i) * {DAYS * 86400.0 / calls})"
    key = User._meta.pk.get_db_prep_value
    first, second = (f"'{key(token.pk, connection)}'" for token in tokens)
    second = second if connection.vendor == "sqlite" else f"{second}::uuid"
    first = first if connection.vendor == "sqlite" else f"{first}::uuid"
    cost = "((bench_models.prompt_price * prompt_tokens + bench_models.completion_price * {} + 500000) / 1000000)"
    template = UsageRecord(user=person, api_token=tokens[0], source="chat", model="", origin="reported")
    insert(
        UsageRecord,
        template,
        {
            "id": words["id"],
            "user_id": "bench_people.user_id",
            "allocation_id": "bench_people.allocation_id",
            "api_token_id": f"CASE WHEN i < {calls // 2} THEN {first} ELSE {second} END",
            "source": "CASE WHEN i % 9 = 0 THEN 'title' ELSE 'chat' END",
            "model": "bench_models.name",
            "answered_model": "bench_models.name",
            "prompt_price": "bench_models.prompt_price",
            "completion_price": "bench_models.completion_price",
            "outcome": "CASE WHEN dice % 40 = 0 THEN 'stopped' ELSE 'complete' END",
            "reserved_tokens": "prompt_tokens + 2048",
            "reserved_cost": cost.format("2048"),
            "prompt_tokens": "prompt_tokens",
            "completion_tokens": "completion_tokens",
            "spent_cost": cost.format("completion_tokens"),
            "first_token_ms": "300 + dice % 900",
            "duration_ms": "1200 + 20 * completion_tokens",
            "created_at": words["moment"].format(seconds=seconds),
            "settled_at": words["moment"].format(seconds=f"({seconds} - 5)"),
        },
        CALLS_MADE.replace("{last}", str(calls - 1))
        .replace("{people}", str(PEOPLE))
        .replace("{models}", str(len(PRICES))),
    )


def make_entries() -> None:
    """Reserved and settled, one after the other."""
    is_settled, zero = "is_settled = 1", "0"
    given_back = {
        f"reserved_{name}": f"CASE WHEN {is_settled} THEN -reserved_{name} ELSE reserved_{name} END"
        for name in ("tokens", "cost")
    }
    insert(
        LedgerEntry,
        LedgerEntry(),
        {
            "allocation_id": "allocation_id",
            "kind": f"CASE WHEN {is_settled} THEN 'settle' ELSE 'reserve' END",
            **given_back,
            "spent_tokens": f"CASE WHEN {is_settled} THEN prompt_tokens + completion_tokens ELSE {zero} END",
            "spent_cost": f"CASE WHEN {is_settled} THEN spent_cost ELSE {zero} END",
            "record_id": "allocation_usagerecord.id",
            "created_at": f"CASE WHEN {is_settled} THEN settled_at ELSE created_at END",
        },
        """
        SELECT {columns} FROM allocation_usagerecord
        CROSS JOIN (SELECT 0 AS is_settled UNION ALL SELECT 1) AS twice
        WHERE allocation_usagerecord.user_id IN (SELECT user_id FROM bench_people)
        """,
        without=("id",),
    )


def make_days() -> None:
    """As `rebuild` would, in a fifth of the time."""
    counts = {
        "calls": "count(*)",
        "failures": "0",
        "cost": "sum(spent_cost)",
        "estimated_calls": "0",
        "timed_calls": "count(*)",
        **{
            name: f"sum({name})"
            for name in ("prompt_tokens", "completion_tokens", "first_token_ms", "duration_ms")
        },
    }
    keys = {key: key for key in UsageDay.KEYS}
    insert(
        UsageDay,
        UsageDay(),
        {"day": "date(created_at)", **keys, **counts},
        f"""
        SELECT {{columns}} FROM allocation_usagerecord
        WHERE user_id IN (SELECT user_id FROM bench_people)
        GROUP BY date(created_at), {", ".join(keys)}
        """,
        without=("id",),
    )


def insert(
    model: type[Model], template: Model, made: dict[str, str], select: str, without: tuple[str, ...] = ()
) -> None:
    """What is not made by an expression is as in the template, whatever columns there are."""
    fields = [field for field in model._meta.concrete_fields if field.attname not in without]
    expressions, values = [], []
    for field in fields:
        if (expression := made.get(field.attname)) is None:
            values.append(field.get_db_prep_save(getattr(template, field.attname), connection))
            is_typed = connection.vendor != "sqlite"
            expressions.append(f"CAST(%s AS {field.cast_db_type(connection)})" if is_typed else "%s")
        else:
            expressions.append(expression.replace("%", "%%"))
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    rows = select.replace("%", "%%").replace("{columns}", ", ".join(expressions))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({columns}) {rows}", values)


def add_up() -> None:
    """The sums of the allocations: what their entries add up to."""
    totals = LedgerEntry.objects.order_by().values("allocation")
    for row in totals.annotate(tokens=Sum("spent_tokens"), cost=Sum("spent_cost")):
        Allocation.objects.filter(pk=row["allocation"], period="once").update(
            spent_tokens=row["tokens"], spent_cost=row["cost"], period_began=date.min
        )


if __name__ == "__main__":
    main()
