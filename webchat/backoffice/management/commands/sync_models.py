"""Asks the upstream which models it offers, says what is new and what is gone, and keeps the list."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webchat.allocation import catalogue
from webchat.upstream.pools import close_pools


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changes = asyncio.run(_ask())
        except catalogue.CannotAsk as problem:
            raise CommandError(str(problem)) from None
        for sentence in changes.sentences:
            self.stdout.write(sentence)


async def _ask() -> catalogue.Changes:
    try:
        return await catalogue.ask_any()
    finally:
        await close_pools()
