"""What could this question cost at most? Said before it is sent, when it asks for several answers or reads much."""

from django.utils.translation import ngettext

from webchat.accounts.models import User
from webchat.allocation import metering, money
from webchat.allocation.charts import grouped
from webchat.allocation.models import ModelInfo, Need
from webchat.allocation.refusals import Refused

# Tokens to read; or half of what the model can take, if that is less.
LONG = 8000


def of(user: User, model: str, need: Need) -> str:
    """Empty where nobody would ask. What would be refused says why."""
    if need.n == 1 and need.prompt_tokens <= min(LONG, ModelInfo.find(model).room // 2):
        return ""
    try:
        weighed = metering.weigh(user, model=model, need=need)
    except Refused as refusal:
        return refusal.sentence
    longest = weighed.reserved_tokens // need.n - need.prompt_tokens
    amount = ngettext("%(count)s token", "%(count)s tokens", weighed.reserved_tokens)
    amount %= {"count": grouped(weighed.reserved_tokens)}
    if weighed.reserved_cost:
        amount = f"{money.shown(weighed.reserved_cost)}, {amount}"
    text = ngettext(
        "At most %(amount)s: to read about %(prompt)s tokens, and an answer of up to %(longest)s.",
        "At most %(amount)s: %(n)d times to read about %(prompt)s tokens, and an answer of up to %(longest)s.",
        need.n,
    )
    numbers = {"prompt": grouped(need.prompt_tokens), "longest": grouped(longest)}
    return text % {"amount": amount, "n": need.n, **numbers}
