"""What an administrator does to users, roles and tokens, and what may not be done."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from chamberlain.identity import audit, operations, queries, tokens
from chamberlain.identity.actors import Actor, acting, actor_of, program_actor
from chamberlain.identity.models import ApiToken, Role, User
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from tests import office
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db
NEXT_YEAR = NOW + timedelta(days=360)


@pytest.fixture
def ada() -> Actor:
    """An administrator."""
    return office.make_actor("ada", Role.ADMINISTRATOR)


def test_a_new_user_gets_a_role_at_a_center_for_some_days(ada: Actor) -> None:
    center = office.make_center()
    user_id = operations.create_user(ada, "dana", "Dana Ortiz", email="dana@city.example")
    operations.assign_role(
        ada, user_id, Role.CASHIER, center_id=center.pk, from_on=DAY, to_on=date(2026, 4, 1)
    )
    user = User.objects.get(pk=user_id)
    assert actor_of(user, DAY).may("payment.take", center.pk)
    assert not actor_of(user, DAY - timedelta(days=1)).may("payment.take", center.pk)
    assert not actor_of(user, date(2026, 4, 1)).may("payment.take", center.pk)
    assert not actor_of(user, DAY).may("payment.take", center.pk + 1)
    [row] = queries.user(user_id, DAY, NOW).assignments
    assert (row.label, row.state, row.granted_by) == ("Cashier at Center CH", "held", "Ada")


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_only_an_administrator_changes_users(role: Role) -> None:
    other = office.make_user("other").pk
    actor = office.make_actor("someone", role)
    for refused in (
        lambda: operations.create_user(actor, "new", "New"),
        lambda: operations.change_user(actor, other, display_name="X", email=""),
        lambda: operations.deactivate_user(actor, other, DAY),
        lambda: operations.activate_user(actor, other),
        lambda: operations.assign_role(actor, other, Role.CLERK, center_id=None, from_on=DAY),
        lambda: operations.end_assignment(actor, 1, DAY, DAY),
        lambda: operations.set_password(actor, other, "seven harbors of the north", NOW),
        lambda: tokens.issue_token(actor, other, "x", ["account.view"], NEXT_YEAR, NOW),
        lambda: tokens.revoke_token(actor, 1, NOW),
    ):
        with pytest.raises(NotPermitted):
            refused()


def test_nobody_gives_a_role_to_themselves(ada: Actor) -> None:
    with pytest.raises(Refused, match="themselves"):
        operations.assign_role(ada, ada.user_id, Role.AUDITOR, center_id=None, from_on=DAY)


def test_a_role_is_held_once_at_a_time(ada: Actor) -> None:
    user_id = office.make_user("robin", Role.CLERK).pk
    with pytest.raises(Refused, match="holds the role of clerk"):
        operations.assign_role(ada, user_id, Role.CLERK, center_id=None, from_on=DAY)


@pytest.mark.parametrize(
    ("username", "name", "email", "field"),
    [
        ("", "Name", "", "username"),
        ("a b", "Name", "", "username"),
        ("x" * 151, "Name", "", "username"),
        ("ADA", "Name", "", "username"),
        ("new", " ", "", "display_name"),
        ("new", "n" * 121, "", "display_name"),
        ("new", "Name", "nowhere", "email"),
    ],
)
def test_a_user_without_a_proper_name_is_refused(
    ada: Actor, username: str, name: str, email: str, field: str
) -> None:
    before = User.objects.count()
    with pytest.raises(Invalid) as refused:
        operations.create_user(ada, username, name, email=email)
    assert refused.value.field == field
    assert User.objects.count() == before


def test_a_role_that_ends_before_it_starts_is_refused(ada: Actor) -> None:
    user_id = office.make_user("robin").pk
    with pytest.raises(Invalid):
        operations.assign_role(ada, user_id, Role.CLERK, center_id=None, from_on=DAY, to_on=DAY)
    center_id = office.make_center().pk
    with pytest.raises(Invalid, match="whole city"):
        operations.assign_role(ada, user_id, Role.ADMINISTRATOR, center_id=center_id, from_on=DAY)
    with pytest.raises(NotFound):
        operations.assign_role(ada, user_id, Role.CLERK, center_id=99, from_on=DAY)
    with pytest.raises(NotFound):
        operations.assign_role(ada, 10**9, Role.CLERK, center_id=None, from_on=DAY)


def test_the_last_administrator_cannot_be_removed(ada: Actor) -> None:
    [held] = queries.user(ada.user_id, DAY, NOW).assignments
    with pytest.raises(operations.LastAdministrator):
        operations.end_assignment(program_actor(), held.assignment_id, DAY, DAY)
    with pytest.raises(operations.LastAdministrator):
        operations.deactivate_user(program_actor(), ada.user_id, DAY)
    assert User.objects.get(pk=ada.user_id).is_active

    office.make_user("grace", Role.ADMINISTRATOR)
    operations.end_assignment(program_actor(), held.assignment_id, DAY, DAY)
    after = actor_of(User.objects.get(pk=ada.user_id), DAY + timedelta(days=1))
    assert not after.may("user.change")


def test_an_administrator_does_not_deactivate_themselves(ada: Actor) -> None:
    with pytest.raises(Refused, match="yourself"):
        operations.deactivate_user(ada, ada.user_id, DAY)
    with pytest.raises(Refused, match="yourself"):
        operations.activate_user(ada, ada.user_id)


def test_a_role_ends_at_once_or_later_but_not_in_the_past(ada: Actor) -> None:
    user = office.make_user("robin", Role.CLERK)
    [held] = queries.user(user.pk, DAY, NOW).assignments
    with pytest.raises(Invalid, match="what was, stays"):
        operations.end_assignment(ada, held.assignment_id, DAY - timedelta(days=2), DAY)
    operations.end_assignment(ada, held.assignment_id, DAY - timedelta(days=1), DAY)
    assert not actor_of(user, DAY).roles
    with pytest.raises(AlreadyDone):
        operations.end_assignment(ada, held.assignment_id, DAY, DAY)
    with pytest.raises(NotFound):
        operations.end_assignment(ada, 10**9, DAY, DAY)


def test_an_inactive_user_may_do_nothing_until_active_again(ada: Actor) -> None:
    user = office.make_user("robin", Role.CLERK)
    operations.deactivate_user(ada, user.pk, DAY)
    user.refresh_from_db()
    assert not actor_of(user, DAY).may("account.view")
    assert [row.username for row in queries.users(DAY, inactive=True)] == ["robin"]
    with pytest.raises(AlreadyDone):
        operations.deactivate_user(ada, user.pk, DAY)
    operations.activate_user(ada, user.pk)
    user.refresh_from_db()
    assert actor_of(user, DAY).may("account.view")
    with pytest.raises(AlreadyDone):
        operations.activate_user(ada, user.pk)


def test_a_weak_password_is_refused_with_every_reason(ada: Actor) -> None:
    user_id = office.make_user("robin").pk
    with pytest.raises(Invalid) as refused:
        operations.set_password(ada, user_id, "12345", NOW)
    assert "too short" in refused.value.sentence
    assert "too common" in refused.value.sentence
    program = operations.create_user(ada, "bank", "Bank", is_program=True)
    with pytest.raises(Refused, match="token"):
        operations.set_password(ada, program, "seven harbors of the north", NOW)


def test_one_s_own_password_needs_no_administrator() -> None:
    robin = office.make_actor("robin", Role.CLERK)
    operations.set_password(robin, robin.user_id, "seven harbors of the north", NOW)
    assert not User.objects.get(pk=robin.user_id).must_change_password


def test_users_are_found_by_name_and_role(ada: Actor) -> None:
    center = office.make_center()
    office.make_user("dana", Role.CASHIER, center)
    office.make_user("robin", Role.CLERK)
    assert [row.username for row in queries.users(DAY, "DAN")] == ["dana"]
    [row] = queries.users(DAY, role="cashier")
    assert row.roles == ("Cashier at Center CH",)
    assert [center.code for center in queries.centers()] == ["CH"]
    assert queries.center_by_code("CH").center_id == center.pk
    for missing in (lambda: queries.center_by_code("XX"), queries.revenue_office):
        with pytest.raises(NotFound):
            missing()


# Tokens


@pytest.fixture
def lockbox(ada: Actor) -> int:
    """A program that posts payments."""
    return operations.create_user(ada, "lockbox", "Lockbox", is_program=True)


def test_a_token_s_secret_is_shown_once_and_not_kept(ada: Actor, lockbox: int) -> None:
    issued = tokens.issue_token(ada, lockbox, "nightly", ["payment.post"], NEXT_YEAR, NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM identity_apitoken t")
        kept = cursor.fetchall()
    assert issued.secret not in str(kept)
    in_use = tokens.token_in_use(issued.secret, NOW)
    assert in_use.actor.may("payment.post", 1)
    assert not in_use.actor.may("account.view")
    assert ApiToken.objects.get().last_used_at == NOW


def test_a_token_that_ended_is_refused_without_saying_why(ada: Actor, lockbox: int) -> None:
    issued = tokens.issue_token(ada, lockbox, "nightly", ["payment.post"], NEXT_YEAR, NOW)
    said = set()
    for secret, at in ((issued.secret, NEXT_YEAR), ("chb_unknown", NOW)):
        with pytest.raises(tokens.BadToken) as refused:
            tokens.token_in_use(secret, at)
        said.add(refused.value.sentence)
    tokens.revoke_token(ada, issued.token_id, NOW)
    with pytest.raises(tokens.BadToken) as refused:
        tokens.token_in_use(issued.secret, NOW)
    assert said == {refused.value.sentence}
    with pytest.raises(AlreadyDone):
        tokens.revoke_token(ada, issued.token_id, NOW)
    assert [token.state for token in queries.tokens(lockbox, NOW)] == ["revoked"]


def test_a_deactivated_program_s_tokens_do_nothing(ada: Actor, lockbox: int) -> None:
    issued = tokens.issue_token(ada, lockbox, "nightly", ["payment.post"], NEXT_YEAR, NOW)
    operations.deactivate_user(ada, lockbox, DAY)
    with pytest.raises(tokens.BadToken):
        tokens.token_in_use(issued.secret, NOW)


def test_a_token_never_acts_as_a_person(ada: Actor) -> None:
    robin = office.make_user("robin", Role.CLERK).pk
    with pytest.raises(Refused, match="not an active program"):
        tokens.issue_token(ada, robin, "x", ["account.view"], NEXT_YEAR, NOW)


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "field"),
    [
        ("", ["account.view"], NEXT_YEAR, "name"),
        ("x", [], NEXT_YEAR, "scopes"),
        ("x", ["everything"], NEXT_YEAR, "scopes"),
        ("x", ["user.change"], NEXT_YEAR, "scopes"),
        ("x", ["account.view"], NOW, "expires_at"),
        ("x", ["account.view"], NOW + timedelta(days=400), "expires_at"),
    ],
)
def test_a_token_without_name_scope_or_end_is_refused(
    ada: Actor, lockbox: int, name: str, scopes: list[str], expires_at: datetime, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        tokens.issue_token(ada, lockbox, name, scopes, expires_at, NOW)
    assert refused.value.field == field
    assert not ApiToken.objects.exists()


# The audit trail


def test_every_change_leaves_who_when_and_both_values(ada: Actor) -> None:
    user_id = operations.create_user(ada, "dana", "Dana Ortiz")
    operations.change_user(ada, user_id, display_name="Dana Reyes", email="")
    operations.deactivate_user(ada, user_id, DAY)
    trail = audit.changes(rows=[("identity.User", user_id)])
    assert [(c.field, c.old, c.new) for c in trail[:2]] == [
        ("is_active", True, False),
        ("display_name", "Dana Ortiz", "Dana Reyes"),
    ]
    assert {(c.actor, c.actor_id) for c in trail} == {("Ada", ada.user_id)}
    assert ("username", None, "dana") in {(c.field, c.old, c.new) for c in trail}
    assert all(abs(c.at - datetime.now(UTC)) < timedelta(minutes=1) for c in trail)


def test_the_trail_of_a_user_has_roles_and_tokens_too(ada: Actor, lockbox: int) -> None:
    tokens.issue_token(ada, lockbox, "nightly", ["payment.post"], NEXT_YEAR, NOW)
    trail = audit.changes(rows=[("identity.User", lockbox)], related=[("user_id", lockbox)])
    assert {c.model for c in trail} == {"identity.User", "identity.ApiToken"}
    assert "digest" not in {c.field for c in trail}


def test_a_change_behind_the_program_s_back_stands_without_an_actor() -> None:
    user_id = office.make_user("robin").pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE identity_user SET email = 'x@y.example' WHERE id = %s", [user_id])
    [change] = [c for c in audit.changes(rows=[("identity.User", user_id)]) if c.field == "email"]
    assert (change.actor, change.actor_id, change.new) == ("", None, "x@y.example")


def test_the_trail_is_asked_by_actor_table_and_time(ada: Actor) -> None:
    with acting(program_actor()):
        office.make_center("N")
    operations.create_user(ada, "dana", "Dana")
    start = datetime.now(UTC) - timedelta(minutes=1)
    by_ada = audit.changes(actor_id=ada.user_id, since=start)
    assert {c.model for c in by_ada} == {"identity.User"}
    assert {c.model for c in audit.changes(model="identity.Center")} == {"identity.Center"}
    assert audit.changes(until=start, rows=[("identity.User", ada.user_id)]) == []
    assert audit.changes(related=[("no_such_column", 1)]) == []
    assert "registry.Customer" in audit.tracked_models()
    with pytest.raises(Invalid):
        audit.changes(model="ledger.Transfer")
