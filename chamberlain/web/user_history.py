"""Who changed what of a user, in the office's words."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from chamberlain.identity import audit, queries
from chamberlain.identity.models import Role

_HISTORY_EVENTS = 40
_WORDS = {
    "username": "Username",
    "display_name": "Name",
    "email": "E-mail",
    "is_active": "Has access",
    "password_set_at": "Password set",
    "must_change_password": "Must change the password",
    "role": "Role",
    "center_id": "Role at",
    "period": "Days of the role",
    "name": "Token for",
    "scopes": "Token may do",
    "expires_at": "Token ends",
    "revoked_at": "Token revoked",
}


def history_of_user(user_id: int) -> list[dict[str, Any]]:
    """The trail in the office's words; what only the program needs is left out."""
    center_names = {center.center_id: center.name for center in queries.centers()}
    trail = audit.changes(
        rows=[("identity.User", user_id)], related=[("user_id", user_id)], limit=_HISTORY_EVENTS
    )
    return [
        {
            "at": change.at,
            "actor": change.actor,
            "what": _WORDS[change.field],
            "old": _in_words(change.field, change.old, center_names),
            "new": _in_words(change.field, change.new, center_names),
        }
        for change in trail
        if change.field in _WORDS
    ]


def _in_words(field: str, value: Any, center_names: dict[int, str]) -> str:
    if value is None:
        return ""
    if field == "center_id":
        return center_names.get(value, str(value))
    if field == "role":
        return Role(value).label
    if field == "period":
        first, _, end = str(value).strip("[()]").partition(",")
        return f"from {first}" + (f" until before {end}" if end else "")
    if field.endswith("_at"):
        return f"{timezone.localtime(datetime.fromisoformat(value)):%b %-d, %Y, %-I:%M %p}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else str(value)
