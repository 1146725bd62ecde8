"""Which invitation did this visitor bring? Its link leaves the id in the session until the sign-up."""

from uuid import UUID

from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webchat.accounts.models import Invitation, User

SESSION_KEY = "invitation"


def remember(request: HttpRequest, invitation: Invitation) -> None:
    request.session[SESSION_KEY] = str(invitation.pk)


def brought(request: HttpRequest) -> Invitation | None:
    """The open invitation that this visitor came with."""
    pk = request.session.get(SESSION_KEY)
    return Invitation.objects.open().filter(pk=pk).first() if pk else None


def spend(request: HttpRequest, user: User) -> None:
    """Spends what the visitor brought on the person just saved; call it in the same transaction."""
    pk = request.session.pop(SESSION_KEY, None)
    # By the id, not by `brought`: an invitation lost in a race must stop the sign-up, not be overlooked.
    if pk and not Invitation(pk=UUID(pk)).accept(user):
        raise ImmediateHttpResponse(not_valid(request))


def not_valid(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitation_not_valid.html", status=404)
