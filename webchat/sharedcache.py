"""What if Redis is away? Then each process counts rate limits for itself, and people can still sign in."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


def _else_here(name: str) -> Callable[..., Any]:
    def call(cache: "SharedCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(RedisCache, name)(cache, *args, **kwargs)
        except RedisError:
            return getattr(cache.here, name)(*args, **kwargs)

    return call


class SharedCache(RedisCache):
    """Shared by all processes, as long as Redis answers within a second."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": 1, "socket_connect_timeout": 1, **params.get("OPTIONS", {})}
        super().__init__(server, params | {"OPTIONS": options})
        self.here = LocMemCache("while redis is away", {})

    add, get, set, touch = map(_else_here, ("add", "get", "set", "touch"))
    delete, has_key, incr, clear = map(_else_here, ("delete", "has_key", "incr", "clear"))
    get_many, set_many, delete_many = map(_else_here, ("get_many", "set_many", "delete_many"))
