"""How staff sign in: nobody signs up by themselves; an administrator makes the users.

A password with lockout, a second factor where the city asks for one, or the city's own sign-in
(OpenID Connect). The address of a failed attempt and the name tried are counted alike, whether
there is such a user or not, so that the answer tells nothing.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from requests import RequestException

from chamberlain.identity.actors import Actor
from chamberlain.identity.models import User

log = logging.getLogger("chamberlain.identity")
Handler = Callable[[HttpRequest], HttpResponse]


class StaffOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts: sign-up is closed, and refusals say what to do."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": (
            "The username or the password is not right. Try again; after five failed attempts "
            "you have to wait five minutes."
        ),
        "too_many_login_attempts": (
            "There were too many failed attempts. Wait five minutes and try again, or ask an "
            "administrator for a new password."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that failures are counted at; a server behind a socket may not know it."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            return "unknown"


class StaffOnlySocial(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The city's own sign-in reaches only users that exist."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Finds the user whom the city's sign-in names; an unknown one is told so."""
        if sociallogin.state.get("process") != "login":
            raise ImmediateHttpResponse(_unknown(request))
        if sociallogin.is_existing:
            return
        verified = [a.email for a in sociallogin.email_addresses if a.verified]
        user = known_user(_claims(sociallogin.account.extra_data), verified)
        if user is None:
            raise ImmediateHttpResponse(_unknown(request))
        sociallogin.connect(request, user)


def known_user(claims: Mapping[str, Any], verified_emails: list[str]) -> User | None:
    """The one active person with the claimed username, or else with a verified e-mail."""
    people = User.objects.filter(is_active=True, is_program=False)
    username = claims.get(settings.OIDC_USERNAME_CLAIM)
    if isinstance(username, str) and username:
        named = people.filter(username__iexact=username).first()
        if named is not None:
            return named
    for email in verified_emails:
        found = list(people.filter(email__iexact=email)[:2])
        if email and len(found) == 1:
            return found[0]
    return None


def _claims(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**data.get("id_token", {}), **data.get("userinfo", {})}


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "socialaccount/unknown_user.html", status=403)


def city_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sends the person to the city's own sign-in; says so when that cannot be reached."""
    try:
        answer: HttpResponse = views.login(request, provider_id)
    except RequestException:
        log.warning("the city's own sign-in cannot be reached")
        return render(request, "socialaccount/authentication_error.html", status=503)
    return answer


def closed(request: HttpRequest, *_: str) -> HttpResponse:
    """Stands where allauth has pages that this office does not use."""
    raise Http404


class sign_in_duties:  # noqa: N801 - named as the settings read it
    """Before anything else, a person changes a password that another one chose, and sets up
    the second factor that the city asks of their role."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        duty = self._duty(request)
        if duty and not request.path.startswith((reverse("account_login")[:-6], "/static/")):
            return redirect(duty)
        return self.get_response(request)

    def _duty(self, request: HttpRequest) -> str | None:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or not request.user.is_authenticated:
            return None
        if request.user.must_change_password:
            return "account_change_password"
        needs_second = any(role.value in settings.MFA_REQUIRED_ROLES for role in actor.roles)
        return "mfa_activate_totp" if needs_second and not is_mfa_enabled(request.user) else None


def password_was_changed(user: User, **_: Any) -> None:
    """The person chose the password now (a signal of allauth)."""
    user.must_change_password = False
    user.password_set_at = timezone.now()
    user.save(update_fields=["must_change_password", "password_set_at"])
