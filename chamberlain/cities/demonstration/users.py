"""One sign-in for each role, with a password given or made for this installation."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from chamberlain.identity.actors import acting, program_actor
from chamberlain.identity.models import Center, Role, RoleAssignment, User
from chamberlain.identity.operations import assign_role, create_user
from chamberlain.kernel.errors import NotFound

CENTER = "CH"

_PEOPLE = {
    Role.CASHIER: ("casey", "Casey Moreno"),
    Role.CLERK: ("clara", "Clara Nowak"),
    Role.ACCOUNTS_SUPERVISOR: ("amir", "Amir Okafor"),
    Role.CENTER_SUPERVISOR: ("sofia", "Sofia Reyes"),
    Role.COORDINATOR: ("cole", "Cole Washington"),
    Role.AUDITOR: ("audrey", "Audrey Chen"),
    Role.ADMINISTRATOR: ("adam", "Adam Kowalski"),
}
_AT_A_CENTER = frozenset({Role.CASHIER, Role.CENTER_SUPERVISOR})


@dataclass(frozen=True, slots=True)
class SignIn:
    """A demonstration user; center: its code, "" for the whole city."""

    username: str
    role: str
    center: str


def ensure_demonstration_users(password: str, today: date, now: datetime) -> list[SignIn]:
    """Makes the users that are missing and gives all of them the password.

    Nobody need change it at the first sign-in: whoever runs the demonstration chose it. Raises
    NotFound before the city is loaded.
    """
    center = Center.objects.filter(code=CENTER).first()
    if center is None:
        raise NotFound(f"There is no center {CENTER}; load the city first.")
    actor = program_actor()
    made = []
    with acting(actor), transaction.atomic():
        for role, (username, name) in _PEOPLE.items():
            user = User.objects.filter(username=username).first()
            user_id = user.pk if user else create_user(actor, username, name)
            at = center if role in _AT_A_CENTER else None
            if not RoleAssignment.objects.filter(user_id=user_id, role=role).exists():
                assign_role(actor, user_id, role, center_id=at.pk if at else None, from_on=today)
            _set_password(user_id, password, now)
            made.append(SignIn(username, role.label, at.code if at else ""))
    return made


def _set_password(user_id: int, password: str, now: datetime) -> None:
    user = User.objects.select_for_update().get(pk=user_id)
    if not user.check_password(password):
        user.set_password(password)
        user.must_change_password = False
        user.password_set_at = now
        user.save(update_fields=["password", "must_change_password", "password_set_at"])
