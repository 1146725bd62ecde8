"""What do we ask of people who sign in or sign up?"""

from typing import Any

from allauth.account import forms
from allauth.core import context
from django.core.validators import MaxLengthValidator
from django.forms import BaseForm
from django.utils.translation import gettext_lazy as _

from webchat.accounts.invitations import brought
from webchat.accounts.models import PASSWORD_MAX_LENGTH


class LoginForm(forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or e-mail")
        drop_placeholders(self)
        self.fields["login"].widget.attrs |= {"autocomplete": "username webauthn", "autofocus": True}
        self.fields["login"].validators.append(MaxLengthValidator(254))
        self.fields["password"].validators.append(MaxLengthValidator(PASSWORD_MAX_LENGTH))


class SignupForm(forms.SignupForm):  # type: ignore[misc]
    """The address is fixed when the invitation names one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drop_placeholders(self)
        invitation = brought(context.request)
        if invitation and invitation.email:
            # The value of a disabled field is taken from here, whatever was sent or stands in the address.
            self.initial["email"] = invitation.email
            self.fields["email"].disabled = True


def drop_placeholders(form: BaseForm) -> None:
    """allauth's only repeat the labels."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
