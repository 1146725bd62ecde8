"""What if a passkey's answer is garbled? Then it is a wrong one, and not an error of ours."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms
from django.forms import HiddenInput, JSONField
from django.utils.translation import gettext_lazy as _


@contextmanager
def wrong_if_garbled() -> Iterator[None]:
    # The library behind answers what it cannot parse with errors of all these kinds.
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")

    def clean(self) -> Any:
        with wrong_if_garbled():
            return super().clean()


class Credential(JSONField):
    def to_python(self, value: Any) -> Any:
        # A number of thousands of digits is no JSON error to it.
        with wrong_if_garbled():
            return super().to_python(value)


class SignedCredential:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = Credential(widget=HiddenInput)  # type: ignore[attr-defined]

    def clean_credential(self) -> Any:
        with wrong_if_garbled():
            return super().clean_credential()  # type: ignore[misc]


class LoginForm(SignedCredential, forms.LoginWebAuthnForm):  # type: ignore[misc]
    """Instead of a password."""


class AuthenticateForm(SignedCredential, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """After the password."""


class ReauthenticateForm(SignedCredential, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Before anything about signing in is changed."""
