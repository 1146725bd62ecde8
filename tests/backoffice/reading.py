"""What was used, without asking anybody: records as they are when a call has ended, and the text of a page."""

import html
import re
from datetime import timedelta
from decimal import Decimal

from django.http import HttpResponse
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, UsageDay, UsageRecord


def used(
    user: User | None, tokens: int = 100, *, days_ago: int = 0, cost: str = "0", allocation: Allocation | None = None,
    **fields: object,
) -> UsageRecord:  # fmt: skip
    """A call that has ended, counted in its day."""
    record = UsageRecord(
        user=user,
        allocation=allocation or Allocation.objects.filter(user=None).first(),
        api_token=fields.pop("api_token", None) or APIToken.objects.first(),
        created_at=timezone.now() - timedelta(days=days_ago),
        **{"source": "chat", "model": "gpt-4", "outcome": "complete", "origin": "reported"} | fields,
        prompt_tokens=tokens,
        spent_cost=Decimal(cost),
    )
    record.save(force_insert=True)
    UsageDay.objects.all().add(record)
    return record


def text_of(response: HttpResponse) -> str:
    """Without markup, in one line."""
    assert response.status_code == 200, response.status_code
    body = re.sub(r"<(style|script|head)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def cells_of(response: HttpResponse) -> list[list[str]]:
    """Of a CSV."""
    assert response.status_code == 200 and response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"].startswith("attachment")
    lines = response.content.decode("utf-8-sig").splitlines()
    return [line[1:-1].split('","') for line in lines]
