"""Is a page quiet? No error on the console, no violation of its policy, no request to anybody else."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
"""


class Watcher:
    """Listens to every page of every context that it was given."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._complaints: list[str] = []
        self._expected: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, pattern: str) -> None:
        """This story provokes it: a refusal, or a connection that is cut."""
        self._expected.append(pattern)

    def expect_lost_connection(self) -> None:
        """The browser says so, and htmx says so again."""
        self.expect(r"WebSocket connection|ERR_CONNECTION|\[object Event\]")

    @property
    def complaints(self) -> list[str]:
        return [said for said in self._complaints if not any(re.search(one, said) for one in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _error(self, error: WebError) -> None:
        self._complaints.append(f"exception: {error.error}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self._origin + "/", "data:", "blob:")):
            self._complaints.append(f"foreign request: {request.url}")
