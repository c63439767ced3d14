"""The account's page at a million accounts, each with a bill of a real run and a payment.

Measured is the time of the server, from the address to the answer: session, sign-in, permissions,
queries and template; only the wire is left out. Each page is of another account, so that nothing
is warm but what a working day would have warmed.
"""

import os
import time
from datetime import UTC, date, datetime
from statistics import median, quantiles
from typing import Any

from bench import city
from bench.figures import Figure
from bench.room import Room

_PAGES = 1000
_PAGES_QUICK = 200
_WARM_UP = 5
_WORKERS = 2
_LIMIT_MS = 100.0
_LIMIT = "A page of a desk at a million accounts"


def measure(room: Room) -> list[Figure]:
    """p50 and p99 of the account's page."""
    pages = _PAGES_QUICK if room.quick else _PAGES
    # Style sheets are linked by their plain names; nothing has to be collected for this.
    os.environ["CHAMBERLAIN_STATIC_STORAGE"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    room.database()
    built = city.build(room)
    _bill_everyone(built)
    step = built.accounts // pages
    numbers = [str(city.FIRST_NUMBER + i * step) for i in range(pages)]
    _pay_a_part(numbers)
    client = _sign_in()
    seconds = []
    for number in [*numbers[:_WARM_UP], *numbers]:
        started = time.perf_counter()
        answer = client.get(f"/accounts/{number}/")
        seconds.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.content.decode()[:2000]
        assert b"Open bill" in answer.content, "the page does not show what is owed"
    return _figures("account_page", seconds[_WARM_UP:])


def _bill_everyone(built: city.City) -> None:
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.billing.running import run
    from chamberlain.identity.actors import program_actor

    plan = RunPlan(
        name="Benchmark",
        tariff_code=built.tariff_code,
        business_day_id=built.business_day_id,
        due_on=date(2100, 1, 1),
        reads_up_to=date(2099, 1, 1),
    )
    run(plan_bill_run(program_actor(), plan, datetime.now(UTC), "account-page"), workers=_WORKERS)


def _pay_a_part(numbers: list[str]) -> None:
    from chamberlain.identity.actors import program_actor
    from chamberlain.identity.queries import revenue_office
    from chamberlain.ledger.payments import NewPayment, post_payment

    center_id, now = revenue_office().center_id, datetime.now(UTC)
    for number in numbers:
        payment = NewPayment(number, 500, "lockbox", f"BENCH-{number}")
        post_payment(program_actor(), center_id, payment, now, f"bench-{number}")


def _sign_in() -> Any:
    """A browser's session of a clerk."""
    from django.db.backends.postgresql.psycopg_any import DateRange
    from django.test import Client

    from chamberlain.identity.actors import program_actor
    from chamberlain.identity.models import Role, RoleAssignment, User

    clerk = User.objects.create(username="benchmark", display_name="Clerk")
    RoleAssignment.objects.create(
        user=clerk,
        role=Role.CLERK,
        period=DateRange(date(2020, 1, 1), None),
        granted_by_id=program_actor().user_id,
    )
    client = Client(SERVER_NAME="localhost")
    client.force_login(clerk)
    return client


def _figures(name: str, seconds: list[float]) -> list[Figure]:
    p99 = 1000 * quantiles(seconds, n=100)[98]
    p50 = 1000 * median(seconds)
    return [
        Figure(f"{name}_p50", round(p50, 1), "ms", _LIMIT, _LIMIT_MS, round(_LIMIT_MS / p50, 3)),
        Figure(f"{name}_p99", round(p99, 1), "ms", _LIMIT, _LIMIT_MS, round(_LIMIT_MS / p99, 3)),
    ]
