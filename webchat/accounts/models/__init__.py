"""Who are you, what may you do, and who did what? One noun for each module."""

from webchat.accounts.models.audit import AppendOnly, AuditEvent
from webchat.accounts.models.break_glass import BreakGlass
from webchat.accounts.models.ended_session import ENDED_SESSIONS_KEPT, EndedSession
from webchat.accounts.models.invitation import INVITATION_LASTS, Invitation, digest, in_two_weeks
from webchat.accounts.models.user import PASSWORD_MAX_LENGTH, LastOwner, Role, User

__all__ = [
    "ENDED_SESSIONS_KEPT",
    "INVITATION_LASTS",
    "PASSWORD_MAX_LENGTH",
    "AppendOnly",
    "AuditEvent",
    "BreakGlass",
    "EndedSession",
    "Invitation",
    "LastOwner",
    "Role",
    "User",
    "digest",
    "in_two_weeks",
]
