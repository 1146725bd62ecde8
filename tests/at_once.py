"""The same moment in several threads, each with its own connection, as in several processes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(times: int, verb: Callable[[int], T]) -> list[T | Exception]:
    """What each of several threads gets that begin together; the verb gets its number."""
    barrier = threading.Barrier(times)

    def run(number: int) -> T | Exception:
        try:
            barrier.wait(10)
            return verb(number)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
