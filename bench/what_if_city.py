"""The whole city's bills of two years under a dearer rate, against posting as many bills.

A bill run posts one bill for each account, and is timed. Eleven earlier ones are then written
beside each, so that every account has twelve. The what-if reads, rates and sums up all of them;
the limit is the time in which posting them would have been five times as slow.
"""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

from bench import city
from bench.figures import Figure
from bench.room import Room

WORKERS = 2
BILLS_EACH = 12
POSTING_AT_LEAST = 5
_DAYS = (city.READ_ON - city.FIRST).days

_EARLIER_READS = """
    INSERT INTO metering_read (service_point_id, meter_id, from_on, to_on, usage_thousandths, unit,
        quality, is_verified, source)
    SELECT r.service_point_id, r.meter_id, r.from_on - %(days)s * k, r.to_on - %(days)s * k,
        r.usage_thousandths, r.unit, r.quality, true, r.source || '-' || k
    FROM metering_read r, generate_series(1, %(more)s) k
"""
_EARLIER_BILLS = """
    INSERT INTO billing_bill (number, account_id, agreement_id, read_id, from_on, to_on, issued_on,
        due_on, total_cents, previous_balance_cents)
    SELECT 'E' || r.id, b.account_id, b.agreement_id, r.id, r.from_on, r.to_on, r.to_on,
        r.to_on + 21, b.total_cents, 0
    FROM billing_bill b
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    JOIN metering_read r ON r.service_point_id = g.service_point_id AND r.to_on < b.to_on
"""


def measure(room: Room) -> list[Figure]:
    """Bills a second of a what-if over all accounts."""
    room.database()
    built = city.build(room)
    posted, posting_seconds = _post(built)
    _write_earlier_bills(room)
    bills, seconds = _imagine(built.tariff_code)
    if bills != posted * BILLS_EACH:
        raise AssertionError(f"the what-if looked at {bills} bills, not {posted * BILLS_EACH}")
    posting = posted / posting_seconds
    return [
        Figure(
            "what_if_city",
            round(bills / seconds, 1),
            "bills/s",
            f"{POSTING_AT_LEAST} times the bills a second of a posted bill run",
            round(POSTING_AT_LEAST * posting, 1),
            round(bills / seconds / (POSTING_AT_LEAST * posting), 3),
        )
    ]


def _post(built: city.City) -> tuple[int, float]:
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
    run_id = plan_bill_run(program_actor(), plan, datetime.now(UTC), "benchmark")
    started = time.perf_counter()
    result = run(run_id, workers=WORKERS)
    return result.bills, time.perf_counter() - started


def _write_earlier_bills(room: Room) -> None:
    with room.connect(owner=True) as owner:
        owner.execute("SET maintenance_work_mem = '1GB'")
        values = {"days": _DAYS, "more": BILLS_EACH - 1}
        owner.execute(_EARLIER_READS, values)
        owner.execute(_EARLIER_BILLS)
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")


def _imagine(tariff_code: str) -> tuple[int, float]:
    from chamberlain.billing.what_if.running import Scope, what_if
    from chamberlain.billing.what_if.scenarios import Scenario
    from chamberlain.identity.actors import program_actor

    scenario = Scenario(tariff_code, component="water", change_percent=Decimal(10))
    scope = Scope(date(2000, 1, 1), date(2100, 1, 1))
    started = time.perf_counter()
    result = what_if(program_actor(), scenario, scope)
    return result.total.bills, time.perf_counter() - started
