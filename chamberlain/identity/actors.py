"""The actor of an operation: who does it, and what they may do, as plain values."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pghistory

from chamberlain.identity.models import Role, RoleAssignment, User
from chamberlain.identity.permissions import PERMISSIONS
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted

PROGRAM = "chamberlain"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a center, or everywhere when `center_id` is None."""

    role: Role
    center_id: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does an operation. scopes: None for a person, the token's scopes for a program."""

    user_id: int
    name: str
    grants: frozenset[Grant]
    is_program: bool = False
    scopes: frozenset[str] | None = None

    def may(self, permission: str, center_id: int | None = None) -> bool:
        """Whether the actor may do it: at that center, or anywhere when no center is given."""
        roles = PERMISSIONS[permission]
        if self.scopes is not None and permission not in self.scopes:
            return False
        if self.is_program:
            return True
        return any(
            grant.role in roles
            and (center_id is None or grant.center_id is None or grant.center_id == center_id)
            for grant in self.grants
        )

    def require(self, permission: str, center_id: int | None = None) -> None:
        """Raises NotPermitted when the actor may not."""
        if not self.may(permission, center_id):
            needed = ", ".join(sorted(role.label.lower() for role in PERMISSIONS[permission]))
            where = " at this center" if center_id is not None else ""
            raise NotPermitted(
                f"{self.name} may not do this{where}; it needs the role of {needed}. "
                "Ask one of them, or ask an administrator for the role."
            )

    def require_own(self, user_id: int | None) -> None:
        """Raises AlreadyDone when what a key was used for before was sent by somebody else."""
        if user_id != self.user_id:
            raise AlreadyDone("Somebody else sent this form; open a new one and send it again.")

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that the actor holds anywhere."""
        return frozenset(grant.role for grant in self.grants)

    @property
    def center_ids(self) -> frozenset[int]:
        """The centers that the actor is assigned to."""
        return frozenset(grant.center_id for grant in self.grants if grant.center_id is not None)


def actor_of(user: User, today: date, scopes: frozenset[str] | None = None) -> Actor:
    """A user as the actor of today's operations. Inactive users may do nothing."""
    grants = (
        RoleAssignment.objects.filter(user=user, period__contains=today).values_list(
            "role", "center_id"
        )
        if user.is_active
        else []
    )
    return Actor(
        user_id=user.pk,
        name=str(user),
        grants=frozenset(Grant(Role(role), center_id) for role, center_id in grants),
        is_program=user.is_program and user.is_active,
        scopes=scopes,
    )


def actor_named(username: str, today: date) -> Actor:
    """The user of that name as the actor of today's operations; raises NotFound."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no user {username}; check the name.", field="username")
    return actor_of(user, today)


def program_actor() -> Actor:
    """The program itself, for commands and jobs that no person does."""
    user = User.objects.filter(username=PROGRAM, is_program=True).first()
    if user is None:
        user = User(username=PROGRAM, display_name="Chamberlain", is_program=True)
        user.set_unusable_password()
        user.save()
    return Actor(user_id=user.pk, name=str(user), grants=frozenset(), is_program=True)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Changes made inside are recorded as this actor's."""
    with pghistory.context(user=actor.user_id, actor=actor.name):
        yield
