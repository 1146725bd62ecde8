"""What do we talk to when nothing is configured? A server of the upstream API with scripted answers."""

from webchat.demo.server import DemoServer

__all__ = ["DemoServer"]
