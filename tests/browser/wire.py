"""A wire between browser and portal that can be cut: connections end, and nobody gets through until it is mended."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any, Self

# SOCKS 5, from RFC 1928: no authentication; connected.
WELCOME = b"\x05\x00"
CONNECTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


class Wire(socketserver.ThreadingTCPServer):
    """A SOCKS proxy, so that the browser sees the portal under its own address."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, portal_port: int) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.portal_port = portal_port
        self.is_cut = False
        self._open: set[socket.socket] = set()

    @classmethod
    @contextlib.contextmanager
    def to(cls, portal_port: int) -> Iterator[Self]:
        with cls(portal_port) as wire:
            threading.Thread(target=wire.serve_forever, daemon=True).start()
            yield wire
            wire.cut()
            wire.shutdown()

    @property
    def proxy(self) -> dict[str, str]:
        """For a browser context; Chromium would otherwise not use a proxy for this machine."""
        return {"server": f"socks5://127.0.0.1:{self.server_address[1]}", "bypass": "<-loopback>"}

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = False

    def carry(self, browser: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.portal_port)) as portal:
            self._open |= {browser, portal}
            back = threading.Thread(target=_pump, args=(portal, browser), daemon=True)
            back.start()
            _pump(browser, portal)
            back.join()
            self._open -= {browser, portal}


class Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire: Any = self.server
        with contextlib.suppress(OSError):
            self.request.recv(512)
            self.request.sendall(WELCOME)
            self.request.recv(512)
            if not wire.is_cut:
                self.request.sendall(CONNECTED)
                wire.carry(self.request)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
