"""Bearer tokens: who calls, within which scopes, and how often a wrong one may be tried."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from chamberlain.identity.actors import Actor
from chamberlain.identity.tokens import BadToken, TokenInUse, token_in_use
from chamberlain.kernel.errors import Refused

_MINUTE = 60


class TooManyTries(Refused):
    """Wrong tokens came too often from one address."""

    status = 429


class ApiRequest(HttpRequest):
    """A request whose token was accepted."""

    auth: TokenInUse
    reference: str


class Bearer(HttpBearer):
    """`Authorization: Bearer chb_…`"""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token in use. Raises BadToken, TooManyTries."""
        key = f"api:bad_token:{get_adapter(request).get_client_ip(request)}"
        tries = int(cache.get(key, 0))
        if tries >= settings.API_BAD_TOKENS_A_MINUTE:
            raise TooManyTries("Too many wrong tokens came from here; wait a minute.")
        try:
            return token_in_use(token, timezone.now())
        except BadToken:
            cache.set(key, tries + 1, _MINUTE)
            raise


def actor_of_request(request: HttpRequest) -> Actor:
    """The actor that the token stands for."""
    in_use: TokenInUse = request.auth  # type: ignore[attr-defined]
    return in_use.actor
