"""What does every call say to the database? A few statements, composed once.

The ORM takes ten times as long to compose each of them as the database takes to do it, and while it does so, nobody
else in the process gets on. All else here is asked through the ORM.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models

M = TypeVar("M", bound=models.Model)

# The conditional UPDATE that admits: of many who ask at once, no more than the limits are for.
TAKE = """
    UPDATE allocation_allocation
    SET reserved_tokens = reserved_tokens + %(reserved_tokens)s, reserved_cost = reserved_cost + %(reserved_cost)s
    WHERE id = %(id)s AND period_began = %(period_began)s AND revoked_at IS NULL
      AND (token_limit IS NULL OR spent_tokens + reserved_tokens + %(reserved_tokens)s <= token_limit)
      AND (cost_limit IS NULL OR spent_cost + reserved_cost + %(reserved_cost)s <= cost_limit)
"""
BOOK = """
    UPDATE allocation_allocation
    SET reserved_tokens = reserved_tokens + %(reserved_tokens)s, reserved_cost = reserved_cost + %(reserved_cost)s,
        spent_tokens = spent_tokens + %(spent_tokens)s, spent_cost = spent_cost + %(spent_cost)s
    WHERE id = %(id)s
"""


def execute(statement: str, params: Any) -> int:
    """How many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)


def prepared(model: type[models.Model], /, **values: Any) -> dict[str, Any]:
    """Values of these fields as this database takes them."""
    return {name: _field(model, name).get_db_prep_save(value, connection) for name, value in values.items()}


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def insert(row: models.Model) -> None:
    """A new row whose primary key is known, or asked for by nobody."""
    statement, fields = _insertion(type(row))
    execute(statement, [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields])
    row._state.adding = False


@cache
def _insertion(model: type[models.Model]) -> tuple[str, Sequence[Any]]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})', fields  # noqa: S608


def close(record: models.Model, changed: dict[str, Any]) -> bool:
    """Of two who close a record one does."""
    assignments = ", ".join(f'"{name}" = %({name})s' for name in changed)
    table = record._meta.db_table
    statement = f"UPDATE \"{table}\" SET {assignments} WHERE id = %(id)s AND outcome = 'reserved'"  # noqa: S608
    return bool(execute(statement, prepared(type(record), id=record.pk, **changed)))


def increase(model: type[models.Model], keys: dict[str, Any], by: dict[str, Any]) -> bool:
    """Add to the columns of the row with these keys; False when there is none yet."""
    table, columns = model._meta.db_table, {key: _field(model, key).column for key in keys}
    sums = ", ".join(f'"{name}" = "{name}" + %({name})s' for name in by)
    where = " AND ".join(
        f'"{columns[key]}" IS NULL' if value is None else f'"{columns[key]}" = %({key})s'
        for key, value in keys.items()
    )
    return bool(execute(f'UPDATE "{table}" SET {sums} WHERE {where}', prepared(model, **keys, **by)))  # noqa: S608


class Query(Generic[M]):
    """A QuerySet that is asked with another value each time; `example` is one of the same type that never occurs."""

    def __init__(self, compose: Callable[[Any], "models.QuerySet[M]"], example: Any) -> None:
        self._compose, self._example = compose, example

    def __call__(self, value: Any) -> list[M]:
        asked = self._in_database(value)
        params = [asked if param is None else param for param in self._params]
        return list(self._rows.raw(self._statement, params))

    @cached_property
    def _rows(self) -> "models.QuerySet[M]":
        return self._compose(self._example)

    @cached_property
    def _statement(self) -> str:
        statement: str = self._rows.query.sql_with_params()[0]
        return statement

    @cached_property
    def _params(self) -> list[Any]:
        """None where the value belongs."""
        example = self._in_database(self._example)
        return [None if param == example else param for param in self._rows.query.sql_with_params()[1]]

    def _in_database(self, value: Any) -> Any:
        is_native = not isinstance(value, UUID) or connection.features.has_native_uuid_field
        return value if is_native else value.hex
