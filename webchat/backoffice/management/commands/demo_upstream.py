"""How does an operator start the demo upstream alone? `manage.py demo_upstream --port 9000`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webchat.demo.command import add_arguments, run


class Command(BaseCommand):
    help = "Serves the demo upstream: the API with scripted answers, for a first look, tests and training."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        run(options["host"], options["port"], options["pace"])
