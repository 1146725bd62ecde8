"""Where is the bench? One line on the terminal that moves on; elsewhere a line for each step."""

import sys
import time


class Progress:
    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._step = ""
        self._is_terminal = sys.stderr.isatty()

    def step(self, text: str) -> None:
        self._step = text
        self._show("" if self._is_terminal else "\n")

    def detail(self, text: str) -> None:
        """Within a step; only for whoever looks on."""
        if self._is_terminal:
            self._show(f" · {text}")

    def say(self, text: str) -> None:
        """To stay above the line."""
        self.clear()
        print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _show(self, rest: str) -> None:
        seconds = int(time.monotonic() - self._began_at)
        self.clear()
        line = f"[{seconds // 60}:{seconds % 60:02}] {self._step}{rest}"
        print(line, end="", file=sys.stderr, flush=True)
