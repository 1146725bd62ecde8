"""What does it look like beside others? An SVG, drawn from a kept result: python -m tests.bench.chart RESULT.json FILE.svg

Its colours can be read on white and on black. Bars are as long as their figures; ours are meant to be short,
and in the first panel long.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from tests.bench.peers import PEERS
from tests.bench.statistics import median

FOLDER = Path(__file__).parent
WIDTH, LEFT, RIGHT = 760, 262, 78
ROW, TITLE, GAP = 22, 30, 18
DOCUMENT = Template((FOLDER / "chart.svg.template").read_text(encoding="utf-8"))
TITLE_LINE = Template('<text class="title" x="0" y="$y">$text</text>')
BAR = Template(
    '<text x="$label_x" y="$text_y" text-anchor="end" class="$kind">$name</text>'
    '<rect class="$kind" x="$x" y="$y" width="$width" height="14" rx="2"/>'
    '<text x="$value_x" y="$text_y" class="$kind">$value</text>'
)


@dataclass(frozen=True)
class Panel:
    title: str
    ours: float | None
    theirs: list[float]
    digits: int = 0

    @property
    def bars(self) -> list[tuple[str, float, str]]:
        peers = [(peer.name, value, "peer") for peer, value in zip(PEERS, self.theirs, strict=True)]
        return ([] if self.ours is None else [("Webchat", self.ours, "own")]) + peers


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    target.write_text(draw(json.loads(source.read_text())), encoding="utf-8")


def draw(results: dict[str, Any]) -> str:
    parts, y = [], 0
    for panel in panels(results):
        parts.append(TITLE_LINE.substitute(y=y + 16, text=panel.title))
        y += TITLE
        longest = max(value for _name, value, _kind in panel.bars)
        for name, value, kind in panel.bars:
            parts.append(_bar(name, value, kind, y, longest, panel.digits))
            y += ROW
        y += GAP
    return DOCUMENT.substitute(width=WIDTH, height=y - GAP + 6, content="\n".join(parts))


def panels(results: dict[str, Any]) -> list[Panel]:
    def own(letter: str, figure: str) -> float | None:
        rounds = results["rounds"].get(letter)
        return median([one[figure] for one in rounds]) if rounds else None

    return [
        Panel(
            "People served at once, 20 chunks a second each, p99 within 250 ms",
            results["most_people"],
            [peer.people for peer in PEERS],
        ),
        Panel(
            "200 people at once: how late a chunk is, p99 in ms",
            own("C", "late_p99"),
            [peer.late_c for peer in PEERS],
        ),
        Panel(
            "50 people at once: from sending to the upstream's first word, p50 in ms",
            own("B", "pre_p50"),
            [peer.pre_b for peer in PEERS],
        ),
        Panel(
            "200 people at once: CPU seconds for 1,000 chunks",
            own("C", "cpu"),
            [peer.cpu_c for peer in PEERS],
            digits=2,
        ),
    ]


def _bar(name: str, value: float, kind: str, y: int, longest: float, digits: int) -> str:
    width = max(1.0, (WIDTH - LEFT - RIGHT) * value / longest)
    return BAR.substitute(
        name=name,
        kind=kind,
        label_x=LEFT - 8,
        x=LEFT,
        y=y,
        text_y=y + 11,
        width=f"{width:.1f}",
        value_x=f"{LEFT + width + 6:.1f}",
        value=f"{value:,.{digits}f}",
    )


if __name__ == "__main__":
    main()
