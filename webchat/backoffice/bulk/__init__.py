"""How does an admin invite and grant to many at once? Read a table, say what it would do, do just that.

Downward: `pages` → `deed` → `plan` → `terms`, `table`.
"""
