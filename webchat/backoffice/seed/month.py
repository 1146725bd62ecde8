"""What did the demo team use in a month? Calls, made up by the same dice each time."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, ModelInfo, UsageRecord
from webchat.allocation.money import NOTHING
from webchat.backoffice.seed.people import DAYS, GRANTS, PEOPLE, Grant, Person

Outcome, Origin = UsageRecord.Outcome, UsageRecord.Origin
SEED = 20261127
# The rest is complete.
STOPPED, FAILED, INTERRUPTED = 0.03, 0.025, 0.01
ERRORS = ("rate_limited", "upstream_down", "no_first_content")
WEEKEND = 0.12
LONGEST_ANSWER = 1500
# Nothing is made up that might still be running.
JUST_NOW = timedelta(minutes=20)


@dataclass
class Month:
    """The calls of everybody, to be booked together afterwards."""

    granted: dict[str, Allocation]
    spent_token: APIToken
    current_token: APIToken

    def __post_init__(self) -> None:
        self._dice = random.Random(SEED)  # noqa: S311 (no secret comes of it)
        self._today = timezone.localdate()
        self._until = timezone.now() - JUST_NOW
        self._models = {model.name: model for model in ModelInfo.objects.all()}
        self._users = {user.username: user for user in User.objects.all()}
        self._grants = {grant.holder: grant for grant in GRANTS}
        self._used: dict[str, Decimal] = {}
        self.records: list[UsageRecord] = []

    def live(self) -> None:
        for person in PEOPLE:
            for days_ago in range(DAYS, -1, -1):
                for moment in self._moments(person, self._today - timedelta(days=days_ago)):
                    self._call(person, moment)

    def _moments(self, person: Person, day: date) -> list[datetime]:
        share = WEEKEND if day.weekday() >= 5 else 1
        mean = person.calls * share
        count = max(0, round(self._dice.gauss(mean, mean / 3)))
        hours = sorted(min(max(self._dice.gauss(14, 2.8), 7), 21) for _ in range(count))
        midnight = timezone.make_aware(datetime.combine(day, time.min))
        moments = [midnight + timedelta(hours=hour) for hour in hours]
        return [moment for moment in moments if moment < self._until]

    def _call(self, person: Person, moment: datetime) -> None:
        prompt = round(self._dice.lognormvariate(6.2, 0.9))
        completion = min(round(self._dice.lognormvariate(5.6, 0.7)) + 5, LONGEST_ANSWER)
        model = self._models[self._dice.choices(person.models, range(len(person.models), 0, -1))[0]]
        holder = self._payer(person, moment)
        if holder:
            record = self.add(person.name, holder, model.name, moment, prompt, completion)
            self._fate(record)
            self._keep_to_limit(holder, record)

    def _payer(self, person: Person, moment: datetime) -> str:
        """Their own grant, as long as there is enough of it; then their group's."""
        for holder in (person.name, person.group):
            if grant := self._grants.get(holder):
                until = self.granted[holder].valid_until
                if self._has_left(grant) and (until is None or moment < until):
                    return holder
        return ""

    def _has_left(self, grant: Grant) -> bool:
        limit = Decimal(grant.terms.get("token_limit") or grant.terms["cost_limit"])
        share = Decimal(str(grant.used_until or 1))
        return grant.used_until is None or self._used.get(grant.holder, NOTHING) < limit * share

    def add(
        self, name: str, holder: str, model: str, moment: datetime, prompt: int, completion: int
    ) -> UsageRecord:
        """A call that was answered."""
        token = self.current_token
        if moment.date() < self._today - timedelta(days=DAYS // 2):
            token = self.spent_token
        record = UsageRecord(
            user=self._users[name],
            allocation=self.granted[holder],
            api_token=token,
            source=UsageRecord.Source.CHAT,
            model=model,
            answered_model=model,
            outcome=Outcome.COMPLETE,
            origin=Origin.ESTIMATED if model == "ERNIE-Bot-4" else Origin.REPORTED,
            prompt_tokens=prompt,
            completion_tokens=completion,
            created_at=moment,
            **self._models[model].prices,
        )
        speed = self._dice.uniform(25, 70)
        record.first_token_ms = round(self._dice.lognormvariate(6.5, 0.5))
        record.duration_ms = record.first_token_ms + round(1000 * completion / speed)
        record.settled_at = moment + timedelta(milliseconds=record.duration_ms)
        record.reserved_tokens = prompt + 2048
        record.reserved_cost = record.cost(prompt_tokens=prompt, completion_tokens=2048)
        record.spent_cost = record.cost(**record.took)
        self.records.append(record)
        return record

    def _fate(self, record: UsageRecord) -> None:
        """Some are no success."""
        fate = self._dice.random()
        if fate < FAILED:
            record.outcome, record.error_code = Outcome.FAILED, self._dice.choice(ERRORS)
            record.prompt_tokens = record.completion_tokens = 0
            record.answered_model, record.first_token_ms = "", None
        elif fate < FAILED + STOPPED:
            record.outcome, record.origin = Outcome.STOPPED, Origin.ESTIMATED
            record.completion_tokens //= 3
        elif fate < FAILED + STOPPED + INTERRUPTED:
            record.outcome, record.origin = Outcome.INTERRUPTED, Origin.ESTIMATED
            record.completion_tokens //= 2
        elif self._dice.random() < 0.12:
            # The title of a conversation is a call, too.
            record.source = UsageRecord.Source.TITLE
            record.completion_tokens = min(record.completion_tokens, 12)
        record.spent_cost = record.cost(**record.took)

    def _keep_to_limit(self, holder: str, record: UsageRecord) -> None:
        """What is used up is used up to the last token, and not beyond."""
        limit = self._grants[holder].terms.get("token_limit")
        used = self._used.get(holder, NOTHING)
        if limit and self._grants[holder].used_until:
            left = int(limit - used)
            record.prompt_tokens = min(record.prompt_tokens, left)
            record.completion_tokens = min(record.completion_tokens, left - record.prompt_tokens)
            record.reserved_tokens = min(record.reserved_tokens, left)
            record.spent_cost = record.cost(**record.took)
        self._used[holder] = used + (record.total_tokens if limit else record.spent_cost)
