"""Do what was planned: each line in a transaction of its own, and only if nothing has changed for it meanwhile.

Not all in one: mail cannot be taken back, people are independent of each other, and on SQLite nobody could save an
answer until the last line was done.
"""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from webchat.accounts.models import Invitation, User
from webchat.allocation.models import Allocation, ChangedMeanwhile, PendingGrant, terms_from_json
from webchat.backoffice.bulk.plan import CHANGE, GRANT, INVITE, NOTHING, Step, version_of

REASON = "CSV"


@dataclass
class Outcome:
    """What came of a step; `link` is shown now and never again."""

    step: Step
    sentence: str
    is_done: bool = True
    link: str = ""


class OutOfDate(Exception):
    """The step was planned for a person, an allocation or an invitation that is not like that any more."""


def carry_out(steps: Iterable[Step], by: User) -> list[Outcome]:
    outcomes = []
    with closing(Post()) as post:
        for step in steps:
            outcome = _try(step, by)
            if outcome.link:
                outcome.sentence = f"{outcome.sentence} {post.send(step.email, outcome.link)}"
            outcomes.append(outcome)
    return outcomes


def _try(step: Step, by: User) -> Outcome:
    try:
        with transaction.atomic():
            # Sent twice at once, the second waits here and finds what the first has done.
            User.objects.select_for_update().get(pk=by.pk)
            return _invite(step, by) if step.verb == INVITE else _serve(step, by)
    except (OutOfDate, ChangedMeanwhile):
        text = _(
            "Not done: something about this person has changed since the preview. Upload the line again."
        )
        return Outcome(step, text, is_done=False)
    except ValidationError as error:
        return Outcome(step, _("Not done: %(why)s") % {"why": " ".join(error.messages)}, is_done=False)


def _invite(step: Step, by: User) -> Outcome:
    """Raises `OutOfDate`."""
    earlier = Invitation.objects.open().filter(email__iexact=step.email)
    is_here = User.objects.filter(email__iexact=step.email).exists()
    if is_here or sorted(str(one.pk) for one in earlier) != step.seen:
        raise OutOfDate
    for one in earlier:
        one.revoke()
    invitation, token = Invitation.objects.issue(by, step.email)
    if step.terms or step.group:
        PendingGrant.objects.create(
            invitation=invitation, group=_group(step), terms=step.terms, promised_by=by, reason=REASON
        )
    return Outcome(step, _("Invited."), link=Invitation.link(token))


def _serve(step: Step, by: User) -> Outcome:
    """Raises `OutOfDate`, `ChangedMeanwhile`, `ValidationError`."""
    person = User.objects.select_for_update().filter(pk=UUID(step.person), is_active=True).first()
    theirs = list(Allocation.objects.filter(user=person, revoked_at=None)) if person else []
    if person is None or sorted(map(version_of, theirs)) != step.seen:
        raise OutOfDate
    if group := _group(step):
        person.groups.add(group)
    terms = terms_from_json(step.terms)
    if step.verb == GRANT:
        Allocation.objects.grant(user=person, actor=by, reason=REASON, **terms)
        return Outcome(step, _("Granted."))
    if step.verb == CHANGE:
        theirs[0].change(version=theirs[0].version, actor=by, reason=REASON, **terms)
        return Outcome(step, _("Changed."))
    return Outcome(step, _("Nothing to do.") if step.verb == NOTHING else _("Is a member of the group now."))


def _group(step: Step) -> Group | None:
    """Raises `OutOfDate` when it was there and is gone."""
    if not step.group:
        return None
    found = Group.objects.filter(name=step.group).first()
    if not found and not step.is_new_group:
        raise OutOfDate
    return found or Group.objects.create(name=step.group)


class Post:
    """Sends invitations, over one connection; a mail server that is not there is not asked again and again."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._is_away = False

    def send(self, email: str, link: str) -> str:
        if not settings.MAIL_CONFIGURED:
            return _("Send the link yourself.")
        if not self._is_away and self._sends(email, link):
            return _("The link was sent by e-mail.")
        return _("The e-mail could not be sent; send the link yourself.")

    def close(self) -> None:
        self._connection.close()

    def _sends(self, email: str, link: str) -> bool:
        subject = settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + _("You are invited")
        body = render_to_string("backoffice/mail/invitation.txt", {"link": link, "team": settings.TEAM_NAME})
        try:
            # Or each mail would open its own.
            self._connection.open()
            EmailMessage(subject, body, to=[email], connection=self._connection).send()
        except SMTPRecipientsRefused:
            return False
        except OSError:
            self._is_away = True
        return not self._is_away
