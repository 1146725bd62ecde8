"""What would be done for each line of a table? Decided once and shown; what was shown is what is done."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from webchat.accounts.models import Invitation, User
from webchat.allocation.models import Allocation
from webchat.backoffice.bulk.table import Line
from webchat.backoffice.bulk.terms import in_words, known_models, read_terms, to_json

INVITE, GRANT, CHANGE, JOIN, NOTHING, WRONG = "invite", "grant", "change", "join", "nothing", "wrong"
ADD = "add"


@dataclass(frozen=True)
class Wishes:
    """What the admin chose for all lines, and may do."""

    existing: str = ADD
    creates_groups: bool = False
    may_invite: bool = True


@dataclass
class Step:
    """What one line does, and what it was decided upon; as JSON it is signed and comes back."""

    line: int
    verb: str
    who: str = ""
    email: str = ""
    person: str = ""
    group: str = ""
    is_new_group: bool = False
    terms: dict[str, Any] = field(default_factory=dict)
    # Of the person's allocations or of the open invitations: who finds others later does nothing.
    seen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What will be done, or what is wrong."""
        if self.problems:
            return " ".join(self.problems)
        again = _("Will be invited again; the earlier link stops working.")
        another = _("Will get this beside what is granted already.")
        return {
            INVITE: again if self.seen else _("Will be invited."),
            GRANT: another if self.seen else _("Will get an allocation."),
            CHANGE: _("The allocation will be changed to this."),
            JOIN: _("Will become a member of the group."),
        }.get(self.verb, _("Nothing to do: this person is here already."))

    @property
    def terms_in_words(self) -> str:
        return in_words(self.terms)


def make(lines: Iterable[Line], wishes: Wishes) -> list[Step]:
    planner = Planner(wishes)
    return [planner.step(line) for line in lines]


class Planner:
    """Knows everybody, so that no line has to ask."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._models = known_models()
        self._groups = {name.lower(): name for name in Group.objects.values_list("name", flat=True)}
        self._members = set(User.groups.through.objects.values_list("user_id", "group__name"))
        people = User.objects.all()
        self._by_name = {person.username.lower(): person for person in people}
        self._by_email: dict[str, list[User]] = defaultdict(list)
        for person in self._by_name.values():
            self._by_email[person.email.lower()].append(person)
        self._theirs: dict[Any, list[str]] = defaultdict(list)
        for allocation in Allocation.objects.exclude(user=None).filter(revoked_at=None):
            self._theirs[allocation.user_id].append(version_of(allocation))
        self._invited: dict[str, list[str]] = defaultdict(list)
        for pk, email in Invitation.objects.open().exclude(email="").values_list("pk", "email"):
            self._invited[email.lower()].append(str(pk))
        self._lines: dict[str, int] = {}

    def step(self, line: Line) -> Step:
        cells = line.cells
        who = cells.get("email") or cells.get("username") or "–"
        step = Step(line.number, WRONG, who=who[:254])
        if line.problem:
            step.problems = [line.problem]
            return step
        terms, step.problems = read_terms(cells, self._models)
        step.terms = {} if step.problems else to_json(terms)
        self._find_person(step, cells.get("email", ""), cells.get("username", ""))
        self._find_group(step, cells.get("group", ""))
        self._note_twice(step)
        if not step.problems:
            self._decide(step)
        return step

    def _find_person(self, step: Step, email: str, username: str) -> None:
        person = self._by_name.get(username.lower()) if username else None
        others = self._by_email.get(email.lower(), []) if email else []
        if email and not _is_email(email):
            step.problems.append(_("This is no e-mail address."))
        elif person and email and person not in others:
            text = _("%(name)s is here with another e-mail address.")
            step.problems.append(text % {"name": person.username})
        elif not person and len(others) > 1:
            step.problems.append(_("Several people have this address. Name one by the username."))
        elif not person and username and others:
            text = _("Who has this address is called %(name)s.")
            step.problems.append(text % {"name": others[0].username})
        elif found := person or next(iter(others), None):
            self._is_here(step, found)
        elif email:
            self._is_to_come(step, email)
        else:
            step.problems.append(_("Nobody is called that. To invite somebody, give an e-mail address."))

    def _is_here(self, step: Step, person: User) -> None:
        step.person, step.who, step.email = str(person.pk), person.username, person.email
        step.seen = sorted(self._theirs[person.pk])
        if not person.is_active:
            step.problems.append(_("This person is deactivated."))

    def _is_to_come(self, step: Step, email: str) -> None:
        step.email = step.who = email
        step.seen = sorted(self._invited[email.lower()])
        if not self._wishes.may_invite:
            step.problems.append(_("Nobody here has this address, and only owners invite."))

    def _find_group(self, step: Step, name: str) -> None:
        if not name:
            return
        step.group = self._groups.get(name.lower(), name)
        step.is_new_group = name.lower() not in self._groups
        if len(name) > 150:
            step.problems.append(_("The name of a group has at most 150 characters."))
        elif step.is_new_group and not self._wishes.creates_groups:
            step.problems.append(_("There is no group “%(name)s”.") % {"name": name})

    def _note_twice(self, step: Step) -> None:
        key = step.person or step.email.lower()
        if key and (first := self._lines.setdefault(key, step.line)) != step.line:
            step.problems.append(_("This person stands in line %(line)d already.") % {"line": first})

    def _decide(self, step: Step) -> None:
        if not step.person:
            step.verb = INVITE
        elif not step.terms:
            is_member = any(step.person == str(pk) and step.group == name for pk, name in self._members)
            step.verb = JOIN if step.group and not is_member else NOTHING
        elif self._wishes.existing == ADD or not step.seen:
            step.verb = GRANT
        elif len(step.seen) > 1:
            step.problems.append(_("This person has several allocations. Change one of them by hand."))
        else:
            step.verb = CHANGE


def version_of(allocation: Allocation) -> str:
    return f"{allocation.pk}:{allocation.version}"


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254
