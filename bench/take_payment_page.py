"""The counter's page with all that an account owes, and the form that takes the payment.

Measured is the time of the server, through every layer from the address to the answer: session,
sign-in, permissions, queries, operation and template; only the wire is left out.
"""

import itertools
import os
import re
import time
from datetime import UTC, date, datetime
from statistics import median, quantiles
from typing import Any

from bench import city
from bench.figures import Figure
from bench.room import Room

_PAYMENTS = 1000
_PAYMENTS_QUICK = 200
_CHARGES = (("water", 2431), ("sewer", 2431), ("water_tax", 608), ("sewer_tax", 608))
_INPUT = re.compile(r'<input type="(?:hidden|text)" name="([^"]+)" value="([^"]*)"')
_LIMIT_MS = 100.0
_LIMIT = "A page of a desk at a million accounts"


def measure(room: Room) -> list[Figure]:
    """p50 and p99 of showing an account at the counter, and of taking its payment."""
    payments = _PAYMENTS_QUICK if room.quick else _PAYMENTS
    # Style sheets are linked by their plain names; nothing has to be collected for this.
    os.environ["CHAMBERLAIN_STATIC_STORAGE"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    room.database()
    built = city.build(room)
    numbers = _owe(built, payments)
    client, session_id = _sign_in()
    shown, taken = [], []
    for number in numbers:
        page, seconds = _timed(client.post, "/counter/", {"q": number})
        shown.append(seconds)
        answer, seconds = _timed(client.post, "/counter/", _filled_in(page.content.decode()))
        taken.append(seconds)
        assert answer.status_code == 302, answer.content.decode()[:2000]
    _assert_all_taken(session_id, payments)
    return [
        *_figures("take_payment_page", shown),
        *_figures("take_payment_page_post", taken),
    ]


def _owe(built: city.City, payments: int) -> list[str]:
    """Two bills of four charges on accounts all over the city; returns the accounts' numbers."""
    from chamberlain.identity.actors import program_actor
    from chamberlain.ledger import chart
    from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges

    for priority, (kind, _) in enumerate(_CHARGES, start=1):
        chart.ensure_charge_kind(kind, kind.replace("_", " ").title(), priority)
    kinds = chart.charge_kinds()
    step = built.accounts // payments
    ids = range(1, built.accounts + 1, step)[:payments]
    for account_id, bill in itertools.product(ids, range(2)):
        document = f"BENCH-{account_id}-{bill}"
        charges = [
            NewCharge(
                account_id,
                kinds[kind].id,
                kinds[kind].receivable_id,
                kinds[kind].revenue_id,
                cents,
                date(2026, 1 + bill, 1),
                date(2026, 1 + bill, 22),
                document,
            )
            for kind, cents in _CHARGES
        ]
        actor_id = program_actor().user_id
        entry = NewEntry(built.business_day_id, "bill", actor_id, datetime.now(UTC), document, [])
        raise_charges(entry, charges)
    return [str(city.FIRST_NUMBER - 1 + account_id) for account_id in ids]


def _sign_in() -> tuple[Any, int]:
    """A browser's session of a cashier with an open till."""
    from django.db.backends.postgresql.psycopg_any import DateRange
    from django.test import Client
    from django.utils import timezone

    from chamberlain.cashiering.operations import ensure_till, open_till
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import Center, Role, RoleAssignment, User
    from chamberlain.ledger.operations import open_business_day

    center = Center.objects.create(code="BNCH", name="Benchmark")
    cashier = User.objects.create(username="benchmark", display_name="Cashier")
    RoleAssignment.objects.create(
        user=cashier,
        role=Role.CASHIER,
        center=center,
        period=DateRange(date(2020, 1, 1), None),
        granted_by_id=program_actor().user_id,
    )
    now, today = timezone.now(), timezone.localdate()
    open_business_day(program_actor(), center.pk, today, now)
    till_id = ensure_till(center, "BNCH-1", cash_limit_cents=10**9)
    session_id = open_till(actor_of(cashier, today), till_id, {2000: 5}, now)
    client = Client(SERVER_NAME="localhost")
    client.force_login(cashier)
    return client, session_id


def _timed(call: Any, *args: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    answer = call(*args)
    return answer, time.perf_counter() - started


def _filled_in(page: str) -> dict[str, str]:
    """The form as a browser would send it back, with cash for all that is owed and more."""
    return {**dict(_INPUT.findall(page)), "cents-0": "150.00", "do": "post"}


def _assert_all_taken(session_id: int, payments: int) -> None:
    from chamberlain.cashiering.queries import session

    assert session(session_id).receipts == payments


def _figures(name: str, seconds: list[float]) -> list[Figure]:
    p99 = 1000 * quantiles(seconds, n=100)[98]
    p50 = 1000 * median(seconds)
    return [
        Figure(f"{name}_p50", round(p50, 1), "ms", _LIMIT, _LIMIT_MS, round(_LIMIT_MS / p50, 3)),
        Figure(f"{name}_p99", round(p99, 1), "ms", _LIMIT, _LIMIT_MS, round(_LIMIT_MS / p99, 3)),
    ]
