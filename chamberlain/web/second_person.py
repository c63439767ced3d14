"""Another person's approval at the screen of the one who works there."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from chamberlain.identity.actors import Actor, actor_of
from chamberlain.web.middleware import OfficeRequest

_WRONG = "The username or the password is not right; after five failed attempts wait five minutes."


class SecondPersonForm(forms.Form):
    """Username and password of the approving person; failed attempts count as at the sign-in.

    After `is_valid`, `approver` is that person. The session stays the other person's.
    """

    username = forms.CharField(
        label="Approving person: username",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Approving person: password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: OfficeRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.approver: Actor | None = None

    def clean(self) -> dict[str, Any]:
        """Checks the password, once all else is filled in."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        names = {"username": cleaned["username"], "password": cleaned["password"]}
        try:
            user = get_adapter(self.request).authenticate(self.request, **names)
        except ValidationError as too_many:
            self.add_error("password", too_many)
            return cleaned
        if user is None:
            self.add_error("password", _WRONG)
            return cleaned
        self.approver = actor_of(user, timezone.localdate())
        return cleaned
