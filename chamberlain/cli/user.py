"""Users: make them, give them roles, list them. The first administrator is made here."""

import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from chamberlain.cli import office
from chamberlain.kernel.errors import Invalid, NotFound

app = typer.Typer(help="The people of the office.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(metavar="USERNAME")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


@app.command()
def create(
    username: Username,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it stands on receipts.")],
    email: str = "",
    is_program: Annotated[
        bool, typer.Option("--program", help="Another system, which acts by tokens.")
    ] = False,
    as_user: office.AsUser = "",
) -> None:
    """Make a user. The password is asked for, or read from standard input; it is changed at the
    first sign-in."""
    office.set_up()
    from chamberlain.identity import operations

    actor = office.actor(as_user)
    password = "" if is_program else _password()
    with office.all_or_nothing():
        user_id = operations.create_user(actor, username, name, email=email, is_program=is_program)
        if password:
            operations.set_password(actor, user_id, password, office.now())
    office.console.print(f"Made the user {username}; chamberlain user role gives a role.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise Invalid("The password is missing; give it as a line on standard input.")
    return password


@app.command()
def role(
    username: Username,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Such as cashier or clerk.")],
    center: Annotated[
        str, typer.Option(metavar="CODE", help="Only at this center; without it, city-wide.")
    ] = "",
    from_day: Day = None,
    to_day: Day = None,
    as_user: office.AsUser = "",
) -> None:
    """Give a user a role, from today or another day on; the day `to` is the first without it."""
    office.set_up()
    from chamberlain.identity import operations, queries
    from chamberlain.identity.models import Role

    if role not in Role.values:
        raise Invalid(f"There is no role “{role}”; there are {', '.join(Role.values)}.")
    found = [u for u in queries.users(office.today(), username) if u.username == username]
    if not found:
        raise NotFound(f"There is no user {username}; chamberlain user list names them all.")
    operations.assign_role(
        office.actor(as_user),
        found[0].user_id,
        Role(role),
        center_id=queries.center_by_code(center).center_id if center else None,
        from_on=from_day.date() if from_day else office.today(),
        to_on=to_day.date() if to_day else None,
    )
    where = f"at {center}" if center else "city-wide"
    office.console.print(f"{username} is {Role(role).label.lower()} {where}.")


@app.command("list")
def list_users(as_json: office.AsJson = False) -> None:
    """List the users with the roles that they hold today."""
    office.set_up()
    from chamberlain.identity import queries

    users = queries.users(office.today())
    if as_json:
        office.print_json(
            [{"username": u.username, "name": u.name, "roles": list(u.roles)} for u in users]
        )
        return
    table = Table("Username", "Name", "Roles today")
    for user in users:
        table.add_row(user.username, user.name, ", ".join(user.roles))
    office.console.print(table)
