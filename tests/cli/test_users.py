"""`chamberlain user`: how the first administrator comes to be."""

from chamberlain.identity.models import Role, User
from tests.cli.office_commands import chamberlain
from tests.office import make_center

GOOD = "correct horse battery staple\n"


def test_the_first_administrator_is_made_at_the_command_line(own_database: str) -> None:
    made = chamberlain("user", "create", "ada", "Ada King", database=own_database, given=GOOD)
    assert made.code == 0, made.err
    given = chamberlain("user", "role", "ada", "administrator", database=own_database)
    assert given.code == 0, given.err
    ada = User.objects.get(username="ada")
    assert ada.check_password(GOOD.strip())
    assert [a.role for a in ada.assignments.all()] == [Role.ADMINISTRATOR]
    listed = chamberlain("user", "list", "--json", database=own_database).json
    assert {"username": "ada", "name": "Ada King", "roles": ["Administrator"]} in listed


def test_a_weak_password_leaves_no_user_behind(own_database: str) -> None:
    answer = chamberlain("user", "create", "ada", "Ada King", database=own_database, given="ada\n")
    assert answer.code == 2
    assert "password" in answer.err.lower()
    assert not User.objects.filter(username="ada").exists()


def test_a_role_is_given_at_one_center(own_database: str) -> None:
    make_center("CH")
    chamberlain("user", "create", "bo", "Bo Diaz", database=own_database, given=GOOD)
    answer = chamberlain("user", "role", "bo", "cashier", "--center", "CH", database=own_database)
    assert answer.code == 0, answer.err
    [assignment] = User.objects.get(username="bo").assignments.select_related("center")
    assert assignment.center is not None
    assert assignment.center.code == "CH"


def test_an_unknown_role_is_refused_with_the_roles_there_are(own_database: str) -> None:
    answer = chamberlain("user", "role", "ada", "king", database=own_database)
    assert answer.code == 2
    assert "auditor" in answer.err
