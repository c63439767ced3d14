"""The account's page at a million accounts; those that are shown have ten years of bills.

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
_READS_IN_TEN_YEARS = 60
_READS = """
    INSERT INTO metering_read (id, service_point_id, meter_id, from_on, to_on, register,
        usage_thousandths, unit, quality, is_verified, source)
    SELECT (SELECT max(id) FROM metering_read) + row_number() OVER (), r.service_point_id,
        r.meter_id, %(first)s::date - 60 * n, %(first)s::date - 60 * (n - 1), NULL,
        r.usage_thousandths + 10 * n, r.unit, 'actual', true, r.source || ':' || n
    FROM metering_read r, generate_series(1, %(reads)s) n
    WHERE r.id %% %(step)s = 1
"""
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
    step = built.accounts // pages
    numbers = [str(city.FIRST_NUMBER + i * step) for i in range(pages)]
    _ten_years(room, step)
    _bill_everyone(built)
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


def _ten_years(room: Room, step: int) -> None:
    """Reads of every two months since 2016 for each account that is shown."""
    with room.connect(owner=True) as owner:
        owner.execute(
            "UPDATE billing_serviceagreement SET period = '[2015-01-01,)' WHERE id %% %s = 1",
            [step],
        )
        owner.execute(_READS, {"step": step, "first": city.FIRST, "reads": _READS_IN_TEN_YEARS})
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE metering_read")


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
