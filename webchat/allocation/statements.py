"""What does every call say to the database? A few statements, composed once.

The ORM takes ten times as long to compose each of them as the database takes to do it, and while it does so, nobody
else in the process gets on. All else here is asked through the ORM.
"""

from typing import Any

from django.db import connection, models

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


def increase(model: type[models.Model], keys: dict[str, Any], by: dict[str, Any]) -> bool:
    """Add to the columns of the row with these keys; False when there is none yet."""
    table, columns = model._meta.db_table, {key: _field(model, key).column for key in keys}
    sums = ", ".join(f'"{name}" = "{name}" + %({name})s' for name in by)
    where = " AND ".join(
        f'"{columns[key]}" IS NULL' if value is None else f'"{columns[key]}" = %({key})s'
        for key, value in keys.items()
    )
    return bool(execute(f'UPDATE "{table}" SET {sums} WHERE {where}', prepared(model, **keys, **by)))  # noqa: S608
