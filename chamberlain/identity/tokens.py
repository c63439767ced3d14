"""Keys for programs. The secret is shown once; only its SHA-256 digest is kept.

A token acts as a user that is a program, never as a person: what a person did, they did
themselves. Programs do not administer people, so those permissions are no scopes.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from chamberlain.identity.actors import Actor, acting, actor_of
from chamberlain.identity.models import ApiToken, User
from chamberlain.identity.permissions import PERMISSIONS
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused

PREFIX = "chb_"
LONGEST_LIFE = timedelta(days=366)
SCOPES = frozenset(PERMISSIONS) - {"user.change", "token.issue"}
# A busy program calls many times a minute; when it last did is worth one write a minute.
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class BadToken(Refused):
    """The key is unknown, expired or revoked; which of them, the caller is not told."""

    status = 401


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which cannot be read again."""

    token_id: int
    secret: str


@dataclass(frozen=True, slots=True)
class TokenInUse:
    """A token that was presented, and the actor it stands for."""

    token_id: int
    name: str
    expires_at: datetime
    actor: Actor


def issue_token(
    actor: Actor,
    user_id: int,
    name: str,
    scopes: Collection[str],
    expires_at: datetime,
    now: datetime,
) -> IssuedToken:
    """Makes a token for a program.

    scopes: names of permissions, at least one. expires_at: at most a year ahead.
    Raises NotFound, Invalid (name, scope, expiry), Refused (the user is a person).
    """
    actor.require("token.issue")
    name = name.strip()
    if not name or len(name) > 80:
        raise Invalid("Name the token after its use, in at most 80 characters.", field="name")
    unknown = sorted(set(scopes) - SCOPES)
    if unknown or not scopes:
        what = f"“{unknown[0]}” is not one" if unknown else "none was given"
        raise Invalid(f"A scope is the name of a permission; {what}.", field="scopes")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid("A token ends in the future, within a year at most.", field="expires_at")
    with acting(actor), transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NotFound("There is no such user.")
        if not user.is_program or not user.is_active:
            raise Refused(
                f"{user} is not an active program; make a user for the program that uses the token."
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        token = ApiToken.objects.create(
            user=user,
            name=name,
            digest=digest_of(secret),
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            created_at=now,
        )
    return IssuedToken(token.pk, secret)


def revoke_token(actor: Actor, token_id: int, now: datetime) -> None:
    """Ends a token at once. Raises NotFound, AlreadyDone."""
    actor.require("token.issue")
    with acting(actor), transaction.atomic():
        token = ApiToken.objects.select_for_update().filter(pk=token_id).first()
        if token is None:
            raise NotFound("There is no such token.")
        if token.revoked_at is not None:
            raise AlreadyDone(f"The token “{token.name}” is revoked already.")
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])


def token_in_use(secret: str, now: datetime) -> TokenInUse:
    """Who a presented secret stands for. Raises BadToken."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(
            digest=digest_of(secret),
            revoked_at=None,
            expires_at__gt=now,
            user__is_active=True,
            user__is_program=True,
        )
        .first()
    )
    if token is None:
        raise BadToken("The token is unknown, expired or revoked; ask an administrator for one.")
    if token.last_used_at is None or token.last_used_at < now - _USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    actor = actor_of(token.user, timezone.localdate(now), frozenset(token.scopes))
    return TokenInUse(token.pk, token.name, token.expires_at, actor)


def digest_of(secret: str) -> bytes:
    """SHA-256 of a secret. A slow hash is not needed: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
