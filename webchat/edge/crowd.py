"""How many are connected? In all, and from one address."""

import resource
from collections import Counter
from ipaddress import IPv6Address, ip_address

# Files that are not connections: the database of each thread, upstreams, logs, uploads.
OTHER_FILES = 500


class Crowd:
    """Whoever comes when it is full is turned away, before anything is read."""

    def __init__(self, most: int, most_of_one: int) -> None:
        """`most_of_one` is 0 where all come from one address: behind a reverse proxy."""
        self._most = min(most, raise_file_limit() - OTHER_FILES)
        self._most_of_one = most_of_one
        self._here: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        neighbours = self._here[neighbourhood(address)]
        if self._here.total() >= self._most or 0 < self._most_of_one <= neighbours:
            return False
        self._here[neighbourhood(address)] += 1
        return True

    def leave(self, address: str) -> None:
        self._here[neighbourhood(address)] -= 1
        if not self._here[neighbourhood(address)]:
            del self._here[neighbourhood(address)]


def neighbourhood(address: str) -> str:
    """Every subscriber has 2**64 addresses of IPv6."""
    host = ip_address(address.partition("%")[0])
    return host.exploded[:19] if isinstance(host, IPv6Address) and not host.ipv4_mapped else address


def raise_file_limit() -> int:
    """Services begin with 1,024 open files and may have many more; how many there may be now."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
