"""Who may do what follows from the role, and only owners hand roles out."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests.accounts.browsing import PASSWORD
from webchat.accounts.models import AuditEvent, LastOwner, Role, User
from webchat.accounts.roles import TABLE
from webchat.environment import BASE_DIR


@pytest.fixture
def allocator(db) -> User:
    return User.objects.create_user("allocator", role=Role.ALLOCATOR)


@pytest.fixture
def auditor(db) -> User:
    return User.objects.create_user("auditor", role=Role.AUDITOR)


def flags(user: User) -> tuple[str, bool, bool]:
    user.refresh_from_db()
    return user.role, user.is_staff, user.is_superuser


def test_who_is_created_has_a_role_and_its_flags(boss, person, allocator, auditor):
    assert flags(boss) == ("owner", True, True)
    assert flags(allocator) == ("allocator", True, False)
    assert flags(auditor) == ("auditor", True, False)
    assert flags(person) == ("member", False, False)
    assert flags(User.objects.create_user("root", is_superuser=True)) == ("owner", True, True)


def test_the_command_for_superusers_makes_an_owner(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", username="first", email="f@example.com", verbosity=0)
    assert flags(User.objects.get(username="first")) == ("owner", True, True)


UPGRADE = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from webchat.accounts.models import User

call_command("migrate", "accounts", "0002", verbosity=0)
row = "INSERT INTO accounts_user (id, username, is_superuser, is_staff, is_active, date_joined, password, first_name,"
row += " last_name, email) VALUES (%s, %s, %s, %s, 1, %s, '', '', '', '')"
for number, person in enumerate([("boss", True, True), ("odd", True, False), ("staff", False, True)]):
    connection.cursor().execute(row, [f"{number:032x}", *person, timezone.now()])
call_command("migrate", verbosity=0)
for user in User.objects.order_by("username"):
    print(user.username, user.role, user.is_staff, user.is_superuser)
"""


def test_superusers_of_before_become_owners(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'before.sqlite3'}"}
    environment["DJANGO_SETTINGS_MODULE"] = "webchat.settings"
    run = subprocess.run(
        [sys.executable, "-c", UPGRADE], env=environment, capture_output=True, text=True, cwd=BASE_DIR
    )
    assert run.stdout.splitlines() == [
        "boss owner True True",
        "odd owner True True",
        "staff member False False",
    ], run.stderr


@pytest.mark.parametrize(
    "forged",
    [
        {"is_superuser": True},
        {"is_superuser": True, "is_staff": True},
        {"role": "owner"},
        {"role": "auditor"},
    ],
)
def test_the_database_takes_no_flag_that_the_role_does_not_give(person, forged):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(**forged)
    assert flags(person) == ("member", False, False)


def test_an_owner_hands_roles_out_and_it_is_noted(boss, person):
    person.set_role(Role.AUDITOR, by=boss, reason="The yearly audit")
    assert flags(person) == ("auditor", True, False)
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.person) == (boss, "role_changed", person)
    assert (event.reason, event.details) == ("The yearly audit", {"role": ["member", "auditor"]})
    person.set_role(Role.OWNER, by=boss)
    assert flags(person) == ("owner", True, True)
    person.set_role(Role.MEMBER, by=boss)
    assert flags(person) == ("member", False, False)


def test_from_the_command_line_anybody_is_made_an_owner(person):
    person.set_role(Role.OWNER, by=None, reason="Nobody else could")
    assert flags(person) == ("owner", True, True)
    assert (AuditEvent.objects.get().actor, AuditEvent.objects.get().person) == (None, person)


def test_the_role_that_one_has_is_no_change(boss, person):
    person.set_role(Role.MEMBER, by=boss)
    assert not AuditEvent.objects.exists()


def test_nobody_else_hands_them_out_and_nobody_raises_themselves(boss, person, allocator, auditor):
    for somebody in (person, allocator, auditor):
        for role in Role:
            for whom in (somebody, person, boss):
                with pytest.raises(PermissionDenied):
                    whom.set_role(role, by=somebody)
    former = User.objects.create_superuser("former", "f@example.com", PASSWORD)
    former.deactivate(by=boss)
    with pytest.raises(PermissionDenied):
        person.set_role(Role.OWNER, by=former)
    assert flags(person) == ("member", False, False) and flags(boss) == ("owner", True, True)


def test_who_was_demoted_meanwhile_is_asked_again(boss, person):
    other = User.objects.create_superuser("other", "o@example.com", PASSWORD)
    User.objects.get(pk=other.pk).set_role(Role.MEMBER, by=boss)
    assert other.role == Role.OWNER, "as it was when the page was opened"
    with pytest.raises(PermissionDenied):
        person.set_role(Role.OWNER, by=other)


def test_the_last_owner_stays(boss, person):
    inactive = User.objects.create_superuser("inactive", "i@example.com", PASSWORD)
    inactive.deactivate(by=boss)
    for attempt in (
        lambda: boss.set_role(Role.MEMBER, by=boss),
        lambda: boss.set_role(Role.AUDITOR, by=None),
        boss.deactivate,
        boss.remove,
    ):
        with pytest.raises(LastOwner, match="Make another person an owner first"):
            attempt()
    assert flags(boss) == ("owner", True, True) and boss.is_active
    inactive.activate(by=boss)
    boss.set_role(Role.MEMBER, by=boss)
    assert flags(boss) == ("member", False, False)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_demote_each_other_one_is_too_late():
    first = User.objects.create_superuser("first", "1@example.com", PASSWORD)
    second = User.objects.create_superuser("second", "2@example.com", PASSWORD)

    def demote(pair: tuple[User, User]) -> bool:
        try:
            pair[0].set_role(Role.MEMBER, by=pair[1])
        except (LastOwner, PermissionDenied):
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, [(first, second), (second, first)])) == [False, True]
    assert User.objects.filter(role=Role.OWNER).count() == 1


def test_deactivating_is_noted(boss, person):
    person.deactivate(by=boss, reason="Left the team")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.person) == ("person_deactivated", boss, person)
    assert event.reason == "Left the team"


PERMISSIONS = {
    "accounts.view_user": {"owner", "allocator", "auditor"},
    "accounts.change_user": {"owner"},
    "accounts.add_user": {"owner"},
    "accounts.delete_user": {"owner"},
    "accounts.add_invitation": {"owner"},
    "accounts.view_auditevent": {"owner", "auditor"},
    "accounts.add_breakglass": {"owner"},
    "accounts.view_breakglass": {"owner"},
    "allocation.view_allocation": {"owner", "allocator", "auditor"},
    "allocation.add_allocation": {"owner", "allocator"},
    "allocation.change_allocation": {"owner", "allocator"},
    "allocation.delete_allocation": {"owner", "allocator"},
    "allocation.view_apitoken": {"owner", "allocator", "auditor"},
    "allocation.add_apitoken": {"owner"},
    "allocation.change_apitoken": {"owner"},
    "allocation.delete_apitoken": {"owner"},
    "allocation.view_usagerecord": {"owner", "allocator", "auditor"},
    "allocation.change_usagerecord": {"owner"},
    "allocation.change_modelinfo": {"owner"},
    "auth.change_group": {"owner", "allocator"},
    "auth.view_group": {"owner", "allocator", "auditor"},
    "chat.view_conversation": {"owner"},
    "chat.view_message": {"owner"},
    "mfa.view_authenticator": {"owner"},
}


@pytest.mark.parametrize("role", Role)
async def test_everybody_who_asks_is_answered_by_the_role(role):
    user = User(username="x")
    user.take_role(role)
    for permission, roles in PERMISSIONS.items():
        expected = role in roles
        assert user.has_perm(permission) is expected, permission
        assert await user.ahas_perm(permission) is expected, permission
        assert (permission in user.get_all_permissions()) is expected, permission
    assert user.has_module_perms("accounts") is (role != "member")
    user.is_active = False
    assert not any(user.has_perm(permission) for permission in PERMISSIONS)


def test_rows_in_django_s_own_tables_grant_nothing(person):
    group = Group.objects.create(name="Admins")
    group.permissions.set(Permission.objects.all())
    person.groups.add(group)
    person.user_permissions.set(Permission.objects.all())
    assert not User.objects.get(pk=person.pk).get_all_permissions()


def test_the_table_names_models_that_are_there():
    for table in TABLE.values():
        for label in table:
            room, _, model = label.partition(".")
            assert model == "*" or apps.get_model(room, model)
