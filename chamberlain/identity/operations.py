"""What an administrator does to the people of the office: users, their roles, their passwords."""

from datetime import date, datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.identity.models import Center, Role, RoleAssignment, User
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused

_LONGEST_NAME = 120


class LastAdministrator(Refused):
    """Nobody would be left who could administer the office."""


def create_user(
    actor: Actor,
    username: str,
    display_name: str,
    *,
    email: str = "",
    is_program: bool = False,
) -> int:
    """Makes a user who cannot sign in until a password is set. Returns the id.

    is_program: a part of the program or another system, which acts by tokens and never signs in.
    Raises Invalid (name missing, malformed or taken; malformed e-mail).
    """
    actor.require("user.change")
    username, display_name, email = username.strip(), display_name.strip(), email.strip()
    _check_username(username)
    _check_names(display_name, email)
    user = User(username=username, display_name=display_name, email=email, is_program=is_program)
    user.set_unusable_password()
    with acting(actor), transaction.atomic():
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            raise Invalid(
                f"The username “{username}” is taken; choose another.", field="username"
            ) from None
    return user.pk


def change_user(actor: Actor, user_id: int, *, display_name: str, email: str) -> None:
    """Changes a user's name and e-mail. The username stays: the ledger's history knows it.

    Raises NotFound, Invalid.
    """
    actor.require("user.change")
    display_name, email = display_name.strip(), email.strip()
    _check_names(display_name, email)
    with acting(actor), transaction.atomic():
        user = _locked(user_id)
        user.display_name, user.email = display_name, email
        user.save(update_fields=["display_name", "email"])


def deactivate_user(actor: Actor, user_id: int, today: date) -> None:
    """Ends a user's access at once: no sign-in, no token, no open session. Nothing is deleted.

    Raises NotFound, AlreadyDone, LastAdministrator, Refused (oneself).
    """
    actor.require("user.change")
    if user_id == actor.user_id:
        raise Refused("You cannot deactivate yourself; ask another administrator.")
    with acting(actor), transaction.atomic():
        _lock_administrators()
        user = _locked(user_id)
        if not user.is_active:
            raise AlreadyDone(f"{user} is inactive already.")
        user.is_active = False
        user.save(update_fields=["is_active"])
        _require_an_administrator(today)


def activate_user(actor: Actor, user_id: int) -> None:
    """Gives a deactivated user access again, with the roles that are still assigned."""
    actor.require("user.change")
    if user_id == actor.user_id:
        raise Refused("You cannot activate yourself; ask another administrator.")
    with acting(actor), transaction.atomic():
        user = _locked(user_id)
        if user.is_active:
            raise AlreadyDone(f"{user} is active already.")
        user.is_active = True
        user.save(update_fields=["is_active"])


def assign_role(
    actor: Actor,
    user_id: int,
    role: Role,
    *,
    center_id: int | None,
    from_on: date,
    to_on: date | None = None,
) -> int:
    """Gives a user a role at a center, or city-wide when `center_id` is None. Returns its id.

    from_on: the first day with the role; to_on: the first day without it, None for no end.
    Raises NotFound, Invalid (dates), Refused (to oneself, or the role is held already).
    """
    actor.require("user.change")
    if user_id == actor.user_id:
        raise Refused("Nobody gives a role to themselves; ask another administrator.")
    if to_on is not None and to_on <= from_on:
        raise Invalid("The role ends before it starts; give a later end.", field="to_on")
    if role == Role.ADMINISTRATOR and center_id is not None:
        raise Invalid(
            "An administrator is one for the whole city; leave the center out.", field="center"
        )
    with acting(actor), transaction.atomic():
        user = _locked(user_id)
        if user.is_program:
            raise Refused(f"{user} is a program; what it may do, its tokens' scopes say.")
        if center_id is not None and not Center.objects.filter(pk=center_id).exists():
            raise NotFound("There is no such center.", field="center")
        try:
            with transaction.atomic():
                assignment = RoleAssignment.objects.create(
                    user=user,
                    role=role,
                    center_id=center_id,
                    period=DateRange(from_on, to_on),
                    granted_by_id=actor.user_id,
                )
        except IntegrityError as error:
            if "role_assigned_once_at_a_time" not in str(error):
                raise
            raise Refused(
                f"{user} holds the role of {Role(role).label.lower()} there on some of these days "
                "already; end that assignment first.",
                field="from_on",
            ) from None
    return assignment.pk


def end_assignment(actor: Actor, assignment_id: int, last_day: date, today: date) -> None:
    """Ends a role after its last day: yesterday (that is, at once), today or later.

    The past stays as it was. A role that begins today or later keeps its first day.
    Raises NotFound, Invalid, AlreadyDone, LastAdministrator.
    """
    actor.require("user.change")
    with acting(actor), transaction.atomic():
        _lock_administrators()
        assignment = (
            RoleAssignment.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(pk=assignment_id)
            .first()
        )
        if assignment is None:
            raise NotFound("There is no such assignment.")
        start, end = assignment.period.lower, assignment.period.upper
        if end is not None and end <= today:
            raise AlreadyDone("This role has ended already.")
        _check_last_day(last_day, start, today)
        end_on = last_day + timedelta(days=1)
        assignment.period = DateRange(start, end_on)
        assignment.save(update_fields=["period"])
        _require_an_administrator(max(today, end_on))


def set_password(actor: Actor, user_id: int, password: str, now: datetime) -> None:
    """Sets a user's password; one that another person chose must be changed at sign-in.

    All open sessions of the user end. Raises NotFound, Invalid (too weak), Refused (a program).
    """
    if user_id != actor.user_id:
        actor.require("user.change")
    with acting(actor), transaction.atomic():
        user = _locked(user_id)
        if user.is_program:
            raise Refused(f"{user} is a program and does not sign in; issue a token instead.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="password") from None
        user.set_password(password)
        user.must_change_password = user_id != actor.user_id
        user.password_set_at = now
        user.save(update_fields=["password", "must_change_password", "password_set_at"])


def _check_username(username: str) -> None:
    if not username:
        raise Invalid("A user needs a username; type one.", field="username")
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        raise Invalid(
            f"The username “{username[:40]}” has other characters than letters, digits and "
            "@ . + - _; leave them out.",
            field="username",
        ) from None
    if len(username) > 150:
        raise Invalid("The username is longer than 150 characters.", field="username")
    if User.objects.filter(username__iexact=username).exists():
        raise Invalid(f"The username “{username}” is taken; choose another.", field="username")


def _check_names(display_name: str, email: str) -> None:
    if not display_name or len(display_name) > _LONGEST_NAME:
        raise Invalid(
            f"Give the user's name, in at most {_LONGEST_NAME} characters.", field="display_name"
        )
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Invalid(f"“{email[:80]}” is not an e-mail address.", field="email") from None


def _check_last_day(last_day: date, start: date, today: date) -> None:
    earliest = max(start, today - timedelta(days=1))
    if last_day < earliest:
        raise Invalid(
            f"The last day of the role is {earliest:%B %-d, %Y} at the earliest; what was, stays.",
            field="last_day",
        )


def _locked(user_id: int) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user


def _lock_administrators() -> None:
    """Two administrators who remove each other at the same moment wait for one another here."""
    list(
        RoleAssignment.objects.select_for_update(of=("self",))
        .filter(role=Role.ADMINISTRATOR)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _require_an_administrator(day: date) -> None:
    """Somebody active must be an administrator on that day, without an end in sight."""
    left = RoleAssignment.objects.filter(
        role=Role.ADMINISTRATOR,
        center=None,
        user__is_active=True,
        period__contains=day,
        period__endswith=None,
    )
    if not left.exists():
        raise LastAdministrator(
            "Nobody would be left to administer the office; make another administrator first."
        )
