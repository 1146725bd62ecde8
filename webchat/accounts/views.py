"""Pages about oneself, the way in by invitation, and the answer to a page that was open too long."""

from typing import cast
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from webchat.accounts import invitations
from webchat.accounts.models import Invitation, User


@require_GET
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/profile.html")


@require_POST
@login_required
def dismiss_notice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Read, and not to be shown on every page any more."""
    notices = cast(User, request.user).break_glasses.filter(pk=pk)
    if not notices.exists():
        raise Http404
    notices.dismiss()
    to = request.POST.get("next", "")
    return redirect(to if get_adapter(request).is_safe_url(to) else "accounts:profile")


@require_GET
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link in an invitation. Following it spends nothing: mail programs follow links too."""
    found = Invitation.objects.find(token)
    if not found:
        return invitations.not_valid(request)
    invitations.remember(request, found)
    return redirect("account_signup")


# Browsers hold the redirect that answers a form against form-action, and the identity provider may
# send people on to yet another host. This page has one button and nothing to steal.
@csp_update({"form-action": ["http:", "https:"]})  # type: ignore[arg-type]
def single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    if "\0" in provider_id:
        raise Http404  # PostgreSQL would raise at it
    try:
        answer: HttpResponseBase = openid_connect.login(request, provider_id)
    except RequestException:
        messages.error(request, _("Single sign-on cannot be reached. Try again, or use your password."))
        return redirect("account_login")
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
