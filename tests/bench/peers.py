"""What do people use instead? Figures of others, of the same scenarios, with the same upstream, on the same machine.

Each in its own default way, in one process, everything on two shared cores; medians of three or more (November 2026).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """A row of the table as it is printed, and what of it the chart shows."""

    name: str
    row: str
    people: float
    pre_b: float
    late_c: float
    cpu_c: float

    @property
    def cells(self) -> list[str]:
        return self.row.split("|")


COLUMNS = [
    "pre A p50",
    "pre B p50",
    "late A p99",
    "late B p99",
    "late C p99, failed",
    "E people",
    "CPU A / B / C / D",
    "wire B/char A / D",
    "start s",
    "RSS MiB idle → C",
    "KiB per idle socket",
]
PEERS = (
    Peer(
        "Open WebUI 0.12.4, its web page",
        "139|4,521 (2 of 50 failed)|8.9|4,933|5,388, 83 of 200|54|2.60 / 1.51 / 2.97 / 0.45|1.2 / 2.6|"
        "16.4|786 → 1,142|290",
        people=54,
        pre_b=4521,
        late_c=5388,
        cpu_c=2.97,
    ),
    Peer(
        "Open WebUI 0.12.4, its SSE API",
        "55|497|3.9|5.2|632, 0|148|1.00 / 0.22 / 0.46 / 0.13|9.4 / 35||→ 991|",
        people=148,
        pre_b=497,
        late_c=632,
        cpu_c=0.46,
    ),
    Peer(
        "Chainlit 2.12 (no sign-in, nothing stored)",
        "35|73|5.3|178|4,615, 0|72|1.80 / 0.45 / 0.52 / 0.63|0.82 / 1.9|2.3|129 → 217|150",
        people=72,
        pre_b=73,
        late_c=4615,
        cpu_c=0.52,
    ),
    Peer(
        "LiteLLM proxy 1.109 (no database)",
        "43|663|3.7|1,998|2,377, 0|50|2.10 / 0.83 / 1.13 / 0.81|7.9 / 28|8.5|339 → 494|",
        people=50,
        pre_b=663,
        late_c=2377,
        cpu_c=1.13,
    ),
)
# Of Open WebUI on SQLite; its list comes 60 at a time.
HISTORY = {
    "list, a page of 40": "8.5 / 13",
    "open a conversation of 20": "12 / 13",
    "open one of 2,000": "101 / 578",
    "search for a common word": "346 / 415",
}
