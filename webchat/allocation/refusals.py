"""Why may a call not be made? Each reason is a sentence in the reader's language: what is so, and what to do."""

from abc import abstractmethod
from datetime import date, datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webchat.allocation.money import shown


class Refused(Exception):
    """Not admitted: nothing was reserved."""

    # Whether asking in another way (another model, fewer answers) would do; else there is nothing left.
    is_about_request = False

    @property
    @abstractmethod
    def sentence(self) -> str: ...

    def __str__(self) -> str:
        return self.sentence


class NothingAllocated(Refused):
    """No allocation is in force for this person."""

    def __init__(self, *, ended: datetime | None = None, begins: datetime | None = None) -> None:
        super().__init__()
        self.ended, self.begins = ended, begins

    @property
    def sentence(self) -> str:
        if self.begins:
            text = _("Your allocation begins on %(day)s. Your text is kept.")
            return text % {"day": _local(self.begins)}
        if self.ended:
            text = _("Your allocation ended on %(day)s. Ask for more; your text is kept.")
            return text % {"day": _local(self.ended)}
        return _("Nothing is allocated to you. Ask an administrator for an allocation; your text is kept.")


class NoToken(Refused):
    """There is an allocation, but no API token that could be used."""

    @property
    def sentence(self) -> str:
        return _("No API token is in use for your allocation. Tell an administrator; your text is kept.")


class NothingLeft(Refused):
    """The budget is spent, or too little of it is left for this."""

    def __init__(self, tokens: int | None, cost: Decimal | None, renews: date | None) -> None:
        super().__init__()
        self.tokens, self.cost, self.renews = tokens, cost, renews

    @property
    def sentence(self) -> str:
        is_enough_for_less = (self.tokens is None or self.tokens > 0) and (self.cost is None or self.cost > 0)
        begin = self._too_little() if is_enough_for_less else _("Your allocation is used up.")
        if not self.renews:
            ask = _("Ask for more; your text is kept.")
            return f"{begin} {ask}"
        renewed = _("It is renewed on %(day)s; until then, ask for more. Your text is kept.")
        return f"{begin} {renewed % {'day': formats.date_format(self.renews)}}"

    def _too_little(self) -> str:
        left = []
        if self.tokens is not None:
            text = ngettext("%(count)s token is left", "%(count)s tokens are left", self.tokens)
            left.append(text % {"count": formats.number_format(self.tokens, force_grouping=True)})
        if self.cost is not None:
            left.append(_("%(amount)s is left") % {"amount": shown(self.cost)})
        return _("This could take more than you have: %(left)s. Set a lower max_tokens, or ask less.") % {
            "left": ", ".join(left)
        }


class NotAllowed(Refused):
    """Something about the request is more than any allocation allows."""

    is_about_request = True


class ModelNotAllowed(NotAllowed):
    def __init__(self, model: str, allowed: list[str]) -> None:
        super().__init__()
        self.model, self.allowed = model, allowed

    @property
    def sentence(self) -> str:
        text = _("Your allocation is not for the model “%(model)s”. Choose one of these: %(allowed)s.")
        return text % {"model": self.model, "allowed": ", ".join(self.allowed[:10])}


class ModelNotOffered(NotAllowed):
    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model

    @property
    def sentence(self) -> str:
        text = _("The model “%(model)s” is not offered any more. Choose another one.")
        return text % {"model": self.model}


class TooManyAnswers(NotAllowed):
    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    @property
    def sentence(self) -> str:
        text = ngettext(
            "Your allocation is for %(most)d answer at a time. Lower n.",
            "Your allocation is for at most %(most)d answers at a time. Lower n.",
            self.most,
        )
        return text % {"most": self.most}


class AnswerTooLong(NotAllowed):
    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    @property
    def sentence(self) -> str:
        text = _("Your allocation is for answers of at most %(most)d tokens. Lower max_tokens.")
        return text % {"most": self.most}


class TooManyRequests(Refused):
    def __init__(self, limit: int, seconds: int) -> None:
        super().__init__()
        self.limit, self.seconds = limit, seconds

    @property
    def sentence(self) -> str:
        text = ngettext(
            "Your allocation is for %(limit)d request a minute. Try again in %(seconds)d s.",
            "Your allocation is for %(limit)d requests a minute. Try again in %(seconds)d s.",
            self.limit,
        )
        return text % {"limit": self.limit, "seconds": self.seconds}


class TooManyAtOnce(Refused):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    @property
    def sentence(self) -> str:
        text = ngettext(
            "Your allocation is for %(limit)d answer at once. Wait until one has arrived, or stop it.",
            "Your allocation is for %(limit)d answers at once. Wait until one has arrived, or stop it.",
            self.limit,
        )
        return text % {"limit": self.limit}


def first_reason(refusals: list[Refused]) -> Refused:
    """Of those of several allocations: that nothing is left says more than that another one is not for this model."""
    return next((one for one in refusals if not isinstance(one, ModelNotAllowed)), refusals[0])


def _local(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
