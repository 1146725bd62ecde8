"""An upstream that lists what a test says, and takes or refuses questions as a test says."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {
    "id": "cmpl-1",
    "model": "gpt-4",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9},
}


class SmallUpstream:
    def __init__(self, url: str) -> None:
        self.url = url
        self.models = ["gpt-4"]
        self.listing_status = 200
        self.chat_status = 200
        self.asked: Counter[str] = Counter()

    @classmethod
    @contextmanager
    def in_thread(cls) -> Iterator["SmallUpstream"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.upstream = upstream = cls(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield upstream
        finally:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        upstream = self._upstream("models")
        listed = [{"id": name, "object": "model", "owned_by": "Small"} for name in upstream.models]
        self._reply(upstream.listing_status, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(self._upstream("chat").chat_status, ANSWER)

    def _upstream(self, what: str) -> SmallUpstream:
        upstream: SmallUpstream = self.server.upstream  # type: ignore[attr-defined]
        upstream.asked[what] += 1
        return upstream

    def _reply(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value if status == 200 else {"error": {"message": "No."}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
