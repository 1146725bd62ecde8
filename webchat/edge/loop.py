"""Which event loop does the portal run on? The fastest there is; imported before Daphne, which would choose another."""

from twisted.internet import asyncioreactor

try:
    from uvloop import new_event_loop
except ImportError:  # It is not made for Windows.
    from asyncio import new_event_loop  # type: ignore[assignment]

loop = new_event_loop()
asyncioreactor.install(loop)
