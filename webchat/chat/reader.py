"""What does one page still have to be told? It is sent what changed since what it has confirmed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import translation

from webchat.background import look_up
from webchat.chat import frames, live, mirror, spending, thread
from webchat.chat.events import Completed, Entitled, News
from webchat.chat.frames import Difference, Seen
from webchat.chat.live import LiveAnswer
from webchat.chat.models import Conversation, Exchange, Message
from webchat.chat.spending import Total
from webchat.chat.thread import WINDOW, Outline, ShownMessage
from webchat.tempo import Pause

# Of the time, drawing may take a part (one huge list takes long).
DRAWING_SHARE = 5
# An answer of another process is looked up so often, should no hint of it arrive.
LOOK_AGAIN_SECONDS = 2
# With several processes a hint may have been lost while nothing seemed to happen.
LOOK_ANYWAY_SECONDS = 15
COUNTDOWN_SECONDS = 1
# A reader may be so many frames behind; then it is waited for, but not for ever. It confirms some at a time.
FRAMES_AHEAD = 16
PATIENCE_SECONDS = 1
# Who is further behind looks.
MOST_HEARD = 4


@dataclass
class Followed:
    """A running answer, and how much of it the page has got."""

    message: ShownMessage
    live: LiveAnswer
    revision: int
    appearance: tuple[int, int]

    @property
    def has_news(self) -> bool:
        is_as_sent = (self.live.revision, self.live.appearance) == (self.revision, self.appearance)
        return self.live.has_ended or not is_as_sent


class Reader:
    """A page that follows a conversation."""

    def __init__(
        self,
        conversation_pk: UUID,
        *,
        shown: Seen,
        header: str,
        spent: str,
        language: str,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._conversation_pk = conversation_pk
        self._shown = shown
        self._header = header
        self._spent = spent
        self._ended: int | None = None
        self._language = language
        self._send = send
        self._news = asyncio.Event()
        self._is_stale = True
        self._is_looking = False
        self._heard: list[News] = []
        self._followed: list[Followed] = []
        self._has_unfollowed = False
        self._sent = 0
        # None as long as it confirms nothing: not everybody has our script.
        self._confirmed: int | None = None
        # Much shorter than that between two looks at the upstream: what comes from there goes on at once.
        self._pause = Pause(share=0.4)

    def hear(self, news: News | None) -> None:
        """The conversation has changed; without `news` one has to look how."""
        if news is None or self._is_looking or self._is_stale or len(self._heard) == MOST_HEARD:
            self._is_stale = True
            self._heard.clear()
        else:
            self._heard.append(news)
        self._news.set()

    def confirm(self, frames_received: int) -> None:
        was_behind = self._is_behind()
        self._confirmed = frames_received
        if was_behind:
            self._news.set()

    async def follow(self) -> None:
        """Until cancelled: tell the page what changes."""
        translation.activate(self._language)
        try:
            while True:
                await self._pause(at_least=DRAWING_SHARE * self._seconds_to_draw())
                self._news.clear()
                await self._send_news()
                if self._is_stale:
                    await self._send_thread()
                for followed in self._followed:
                    await self._send_growth(followed)
                await self._wait_for_news()
        finally:
            self._unfollow()

    def _seconds_to_draw(self) -> float:
        return max((followed.live.seconds_to_draw for followed in self._followed), default=0.0)

    async def _send_news(self) -> None:
        """What is known need not be looked for, as long as the page shows what it builds on. A look is always right."""
        while self._heard and not self._is_stale:
            match self._heard.pop(0):
                case Exchange() as exchange if self._can_go_on_with(exchange):
                    await self._send_exchange(exchange)
                case Completed(answers=answers) if mine := self._followed_of(answers):
                    await self._send_completed(mine)
                case Entitled() as entitled if self._header == entitled.mark_before:
                    await self._send_header(entitled.conversation)
                case _:
                    self._is_stale = True
        self._heard.clear()

    def _can_go_on_with(self, exchange: Exchange) -> bool:
        parent = exchange.question.parent_id
        last = self._shown[-1][0] if self._shown else None
        follows_last = last == (frames.short(parent) if parent else None)
        header = thread.header_mark(exchange.conversation.title, exchange.model_before)
        return exchange.goes_on and follows_last and self._header == header

    async def _send_exchange(self, exchange: Exchange) -> None:
        messages = {message.pk: self._with_live(message) for message in thread.begun(exchange)}
        difference = Difference(is_replaced=not self._shown, added=list(messages))
        await self._send_frame(frames.thread_changed(difference, messages, older_url=""))
        self._shown = [*self._shown, *frames.seen(messages.values())][-WINDOW:]
        await self._send_header(exchange.conversation)

    def _followed_of(self, answers: list[Message]) -> list[tuple[Followed, Message]]:
        saved = {answer.pk: answer for answer in answers}
        return [(one, saved[one.message.pk]) for one in self._followed if one.message.pk in saved]

    async def _send_completed(self, mine: list[tuple[Followed, Message]]) -> None:
        self._followed = [
            one for one in self._followed if all(one is not followed for followed, _saved in mine)
        ]
        for followed, saved in mine:
            followed.live.leave(self._news)
            message = followed.message.as_it_ended(saved)
            self._shown = list((dict(self._shown) | dict(frames.seen([message]))).items())
            await self._send_frame(frames.message_replaced(message))
        took = {saved.usage.pk: saved.usage for _followed, saved in mine if saved.usage}
        total = Total.read(self._spent)
        for usage in took.values():
            total = total.and_of(usage)
        await self._send_total(total)

    async def _send_thread(self) -> None:
        self._is_stale, self._is_looking = False, True
        try:
            conversation, outline, difference, found, total = await look_up(self._look)
        finally:
            self._is_looking = False
        self._unfollow()
        rows = outline.window()
        messages = {pk: self._with_live(message) for pk, message in found.items()}
        await self._send_frame(frames.thread_changed(difference, messages, outline.older_url(rows)))
        self._shown = frames.seen(messages.get(row.pk, row) for row in rows)
        await self._send_header(conversation)
        await self._send_total(total)

    def _look(self) -> tuple[Conversation, Outline, Difference, dict[UUID, ShownMessage], Total | None]:
        conversation = Conversation.objects.get(pk=self._conversation_pk, deleted_at=None)
        outline = Outline(conversation)
        difference = frames.compare(self._shown, outline.window())
        total = spending.of(conversation) if self._may_have_taken_more(outline, difference) else None
        return conversation, outline, difference, outline.show(difference.needed), total

    def _may_have_taken_more(self, outline: Outline, difference: Difference) -> bool:
        """Since its page was made, or since the last look: then some answer has ended."""
        ended, self._ended = self._ended, outline.ended
        return bool(difference.needed) if ended is None else ended != self._ended

    def _with_live(self, message: ShownMessage) -> ShownMessage:
        """From here on the page is told how this answer grows, when it is one that grows in this process."""
        if not message.is_running:
            return message
        answer = live.find(message.pk) or mirror.of(message.pk, message.text)
        if answer is None:
            self._has_unfollowed = True
            return message
        answer.wake(self._news)
        self._followed.append(Followed(message, answer, answer.revision, answer.appearance))
        return message.as_it_grows(answer)

    def _unfollow(self) -> None:
        for followed in self._followed:
            followed.live.leave(self._news)
        self._followed, self._has_unfollowed = [], False

    async def _send_growth(self, followed: Followed) -> None:
        answer = followed.live
        if answer.has_ended:
            # The hint that follows says so too; what was saved is sent whole and heals whatever went wrong.
            self._is_stale = True
            return
        if answer.appearance != followed.appearance:
            frame = frames.message_replaced(followed.message.as_it_grows(answer))
        elif answer.revision != followed.revision:
            frame = frames.answer_grew(answer.pk, answer.changes_since(followed.revision))
        else:
            return
        followed.revision, followed.appearance = answer.revision, answer.appearance
        await self._send_frame(frame)

    async def _send_header(self, conversation: Conversation) -> None:
        mark = thread.header_mark(conversation.title, conversation.model)
        if mark != self._header:
            self._header = mark
            await self._send_frame(frames.header_changed(conversation))

    async def _send_total(self, total: Total | None) -> None:
        if total and total.mark != self._spent:
            self._spent = total.mark
            await self._send_frame(frames.total_changed(total))

    async def _send_frame(self, frame: str) -> None:
        if frame:
            self._sent += 1
            await self._send(frame)

    async def _wait_for_news(self) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self._is_behind() and time.monotonic() < give_up_at:
            self._news.clear()
            await _wait(self._news, PATIENCE_SECONDS)
        if self._is_stale or self._heard or any(followed.has_news for followed in self._followed):
            return
        if not await _wait(self._news, self._patience()):
            may_have_missed = self._has_unfollowed or bool(settings.REDIS_URL)
            self._is_stale = self._is_stale or may_have_missed

    def _patience(self) -> float | None:
        """How long nothing may happen before something has to: a countdown goes on, a lost hint is made up for."""
        if any(followed.live.notice for followed in self._followed):
            return COUNTDOWN_SECONDS
        if self._has_unfollowed:
            return LOOK_AGAIN_SECONDS
        return LOOK_ANYWAY_SECONDS if settings.REDIS_URL else None

    def _is_behind(self) -> bool:
        return self._confirmed is not None and self._sent - self._confirmed > FRAMES_AHEAD


async def _wait(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether it was set in time."""
    if seconds is None:
        return await event.wait()
    try:
        # Not `asyncio.wait_for`: before Python 3.12 it may swallow a cancellation.
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
