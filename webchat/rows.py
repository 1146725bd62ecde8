"""How is a row fetched, added and changed quickly? By statements that are composed once.

Composing one takes Django's ORM ten times as long as the database takes to answer it, so this is for the few that
each question and each answer need. Everything else asks the ORM.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, connections, models, router

M = TypeVar("M", bound=models.Model)


def find(model: type[M], key: Any, *, lock: bool = False) -> M | None:
    """As `filter(pk=key).first()`; locked until the transaction ends, if wanted."""
    database = router.db_for_write(model) if lock else router.db_for_read(model)
    connection = connections[database]
    statement = _select(model, database, lock and connection.features.has_select_for_update)
    with connection.cursor() as cursor:
        cursor.execute(statement, _prepared(model, {"pk": key}, connection))
        row = cursor.fetchone()
    return _made(model, connection, row) if row else None


def change(model: type[models.Model], key: Any, values: Mapping[str, Any], *, only_if: str = "") -> bool:
    """As `filter(pk=key).update(**values)`; `only_if` is a condition in SQL. Tells whether there was such a row."""
    database = router.db_for_write(model)
    connection = connections[database]
    statement = _update(model, database, tuple(values), only_if)
    with connection.cursor() as cursor:
        cursor.execute(statement, _prepared(model, {**values, "pk": key}, connection))
        return bool(cursor.rowcount)


def add(*rows: models.Model) -> None:
    """As `bulk_create(rows)`, of one model, with keys that are known before, or that nobody asks for."""
    model = type(rows[0])
    database = router.db_for_write(model)
    connection = connections[database]
    parameters = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row in rows
        for field in _given(model)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_insert(model, database, len(rows)), parameters)
    for row in rows:
        row._state.adding, row._state.db = False, database


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


def _prepared(model: type[models.Model], values: Mapping[str, Any], connection: Any) -> list[Any]:
    return [_field(model, name).get_db_prep_save(value, connection) for name, value in values.items()]


def _made(model: type[M], connection: Any, row: Sequence[Any]) -> M:
    values = list(row)
    for place, column in _to_convert(model, connection.alias):
        converters = (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
        for convert in converters:
            values[place] = convert(values[place], column, connection)
    return model.from_db(connection.alias, _names(model), values)


@cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in _fields(model)]


@cache
def _to_convert(model: type[models.Model], database: str) -> list[tuple[int, Any]]:
    """What the database does not give as Python has it, and its place in the row."""
    connection: Any = connections[database]
    columns: list[Any] = [field.get_col(model._meta.db_table) for field in _fields(model)]
    return [
        (place, column)
        for place, column in enumerate(columns)
        if connection.ops.get_db_converters(column) or column.get_db_converters(connection)
    ]


@cache
def _select(model: type[models.Model], database: str, is_locked: bool) -> str:
    quote = connections[database].ops.quote_name
    table, key = quote(model._meta.db_table), quote(_field(model, "pk").column)
    columns = ", ".join(quote(field.column) for field in _fields(model))
    return f"SELECT {columns} FROM {table} WHERE {key} = %s{' FOR UPDATE' if is_locked else ''}"  # noqa: S608


@cache
def _insert(model: type[models.Model], database: str, count: int) -> str:
    quote = connections[database].ops.quote_name
    columns = [quote(field.column) for field in _given(model)]
    row = f"({', '.join('%s' for _column in columns)})"
    values = ", ".join([row] * count)
    return f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns)}) VALUES {values}"  # noqa: S608


@cache
def _update(model: type[models.Model], database: str, names: tuple[str, ...], only_if: str) -> str:
    quote = connections[database].ops.quote_name
    table, key = quote(model._meta.db_table), quote(_field(model, "pk").column)
    assignments = ", ".join(f"{quote(_field(model, name).column)} = %s" for name in names)
    condition = f" AND {only_if}" if only_if else ""
    return f"UPDATE {table} SET {assignments} WHERE {key} = %s{condition}"  # noqa: S608


def _given(model: type[models.Model]) -> Sequence[Any]:
    """All but a number that the database gives."""
    return [field for field in _fields(model) if not isinstance(field, models.AutoField)]


def _fields(model: type[models.Model]) -> Sequence[Any]:
    return model._meta.concrete_fields


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)
