"""Who works here, with which roles, where, and with which tokens."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from chamberlain.identity.models import ApiToken, Center, Role, RoleAssignment, User
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class CenterRow:
    """A center."""

    center_id: int
    code: str
    name: str
    kind: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A role of a user; `center` is None city-wide, `to_on` is the first day without it."""

    assignment_id: int
    role: Role
    center: str | None
    center_id: int | None
    from_on: date
    to_on: date | None
    granted_by: str
    state: str

    @property
    def label(self) -> str:
        """`Cashier at City Hall`, `Auditor city-wide`."""
        return f"{self.role.label} at {self.center}" if self.center else f"{self.role.label}"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token; its secret is nowhere."""

    token_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in the list, with the roles held on the day asked about."""

    user_id: int
    username: str
    name: str
    email: str
    is_active: bool
    is_program: bool
    last_login: datetime | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserView:
    """A user with all roles ever held and all tokens."""

    user_id: int
    username: str
    name: str
    email: str
    is_active: bool
    is_program: bool
    must_change_password: bool
    can_sign_in: bool
    last_login: datetime | None
    joined_at: datetime
    assignments: tuple[AssignmentRow, ...]
    tokens: tuple[TokenRow, ...]


def centers() -> list[CenterRow]:
    """All centers, by name."""
    return [
        CenterRow(c.pk, c.code, c.name, c.kind, c.address, c.phone)
        for c in Center.objects.order_by("name")
    ]


def center_by_code(code: str) -> CenterRow:
    """A center. Raises NotFound."""
    found = Center.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no center {code[:8]}.", field="center")
    return CenterRow(found.pk, found.code, found.name, found.kind, found.address, found.phone)


def revenue_office() -> CenterRow:
    """The center that posts what no counter took. Raises NotFound before the city is loaded."""
    found = Center.objects.filter(kind=Center.Kind.REVENUE_OFFICE).order_by("pk").first()
    if found is None:
        raise NotFound("The city has no revenue office; load the city first.")
    return CenterRow(found.pk, found.code, found.name, found.kind, found.address, found.phone)


def users(today: date, text: str = "", role: str = "", inactive: bool = False) -> list[UserRow]:
    """Users by name, with today's roles.

    text: part of the name, username or e-mail. role: only those who hold it today.
    inactive: those who left, instead of those who are here.
    """
    found = User.objects.filter(is_active=not inactive)
    if text:
        found = found.filter(
            Q(display_name__icontains=text) | Q(username__icontains=text) | Q(email__icontains=text)
        )
    if role:
        found = found.filter(
            pk__in=RoleAssignment.objects.filter(role=role, period__contains=today).values("user")
        )
    roles: dict[int, list[str]] = {}
    held = RoleAssignment.objects.filter(period__contains=today).select_related("center")
    for assignment in held.order_by("role", "center__name"):
        roles.setdefault(assignment.user_id, []).append(_assignment(assignment, today).label)
    return [
        UserRow(
            u.pk,
            u.username,
            str(u),
            u.email,
            u.is_active,
            u.is_program,
            u.last_login,
            tuple(roles.get(u.pk, ())),
        )
        for u in found.order_by("is_program", "display_name", "username")
    ]


def user(user_id: int, today: date, now: datetime) -> UserView:
    """One user with roles and tokens. Raises NotFound."""
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is no such user.")
    assignments = RoleAssignment.objects.filter(user=found).select_related("center", "granted_by")
    rows = [_assignment(a, today) for a in assignments.order_by("-period", "role")]
    return UserView(
        found.pk,
        found.username,
        str(found),
        found.email,
        found.is_active,
        found.is_program,
        found.must_change_password,
        found.has_usable_password(),
        found.last_login,
        found.date_joined,
        tuple(rows),
        tuple(tokens(user_id, now)),
    )


def tokens(user_id: int, now: datetime) -> list[TokenRow]:
    """A user's tokens, the newest first."""
    return [
        TokenRow(
            t.pk,
            t.name,
            tuple(t.scopes),
            t.created_at,
            t.expires_at,
            t.last_used_at,
            t.revoked_at,
            "revoked" if t.revoked_at else "expired" if t.expires_at <= now else "in use",
        )
        for t in ApiToken.objects.filter(user_id=user_id).order_by("-created_at", "-pk")
    ]


def roles_today(user_id: int, today: date) -> frozenset[Role]:
    """The roles that a user holds anywhere on a day."""
    held = RoleAssignment.objects.filter(user_id=user_id, period__contains=today)
    return frozenset(Role(role) for role in held.values_list("role", flat=True))


def _assignment(found: RoleAssignment, today: date) -> AssignmentRow:
    start, end = found.period.lower, found.period.upper
    if end is not None and end <= today:
        state = "ended"
    else:
        state = "from later" if start > today else "held"
    return AssignmentRow(
        found.pk,
        Role(found.role),
        found.center.name if found.center else None,
        found.center_id,
        start,
        end,
        str(found.granted_by),
        state,
    )
