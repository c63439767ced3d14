"""Twelve months of bills of every account set right for a corrected rate, against a plain run.

The same database is billed by a plain run of six bi-monthly reads for each account; then one rate
of the tariff is corrected, and every bill is taken back and replaced. The limit is the plain run.
"""

import json
import time
from datetime import UTC, date, datetime, timedelta

from bench import city
from bench.figures import Figure
from bench.room import Room

WORKERS = 2
READS = 6
READ_DAYS = 60
_QUICK_PART = 6

_MORE_READS = """
    INSERT INTO metering_read (id, service_point_id, meter_id, from_on, to_on, register,
        usage_thousandths, unit, quality, is_verified, source)
    SELECT r.id + %(n)s::bigint * %(accounts)s, r.service_point_id, r.meter_id,
        %(from_on)s, %(to_on)s,
        r.register, r.usage_thousandths, r.unit, r.quality, true,
        'bench:' || r.id || ':' || %(n)s::text
    FROM metering_read r WHERE r.id <= %(accounts)s
"""


def measure(room: Room) -> list[Figure]:
    """Bills a second that are taken back and replaced."""
    room.database()
    built = city.build(room, room.accounts // _QUICK_PART if room.quick else None)
    _add_reads(room, built.accounts)
    plain, plain_seconds = _bill(built.tariff_code, built.business_day_id)
    _correct_rate(room)
    bills, seconds = _rebill(built.tariff_code, built.business_day_id)
    if bills != plain:
        raise AssertionError(f"{bills} bills were replaced, not {plain}")
    return [
        Figure(
            "rebill_city",
            round(bills / seconds, 1),
            "bills/s",
            "the plain bill run of the same bills",
            round(plain / plain_seconds, 1),
            round(plain_seconds / seconds, 3),
        )
    ]


def _add_reads(room: Room, accounts: int) -> None:
    with room.connect(owner=True) as owner:
        for n in range(1, READS):
            to_on = city.FIRST - timedelta(days=READ_DAYS * (n - 1))
            values = {
                "n": n,
                "accounts": accounts,
                "from_on": to_on - timedelta(days=READ_DAYS),
                "to_on": to_on,
            }
            owner.execute(_MORE_READS, values)
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE metering_read")


def _bill(tariff_code: str, business_day_id: int) -> tuple[int, float]:
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.billing.running import run
    from chamberlain.identity.actors import program_actor

    plan = RunPlan(
        name="Benchmark",
        tariff_code=tariff_code,
        business_day_id=business_day_id,
        due_on=date(2100, 1, 1),
        reads_up_to=date(2099, 1, 1),
    )
    run_id = plan_bill_run(program_actor(), plan, datetime.now(UTC), "benchmark")
    started = time.perf_counter()
    return run(run_id, workers=WORKERS).bills, time.perf_counter() - started


def _correct_rate(room: Room) -> None:
    """Each rate of the first line is half a dollar more; the tables are analyzed as
    they are some hours after a run.
    """
    with room.connect(owner=True) as owner:
        row = owner.execute(
            "SELECT m.id, m.terms FROM tariffs_component m JOIN tariffs_tariff t "
            "ON t.id = m.tariff_id WHERE t.code = %s ORDER BY m.position LIMIT 1",
            [city.TARIFF],
        ).fetchone()
        assert row is not None
        terms = row[1]
        for version in terms["versions"]:
            if "rate" in version:
                version["rate"] = f"{float(version['rate']) + 0.5:.4f}"
            for key, rate in version.get("rates", {}).items():
                version["rates"][key] = f"{float(rate) + 0.5:.4f}"
        owner.execute(
            "UPDATE tariffs_component SET terms = %s WHERE id = %s", [json.dumps(terms), row[0]]
        )
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")


def _rebill(tariff_code: str, business_day_id: int) -> tuple[int, float]:
    from chamberlain.billing.rebilling import citywide
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import User

    now = datetime.now(UTC)
    plan = citywide.CityPlan(
        tariff_code=tariff_code,
        from_on=date(2020, 1, 1),
        to_on=None,
        reason_code="rate_wrong",
        note="Benchmark",
        business_day_id=business_day_id,
    )
    rebill_id = citywide.ask_city_rebill(program_actor(), plan, now, "benchmark")
    second = User.objects.create(username="second", display_name="Second", is_program=True)
    citywide.approve_city_rebill(actor_of(second, city.READ_ON), rebill_id, now)
    started = time.perf_counter()
    done = citywide.run_city_rebill(program_actor(), rebill_id, workers=WORKERS)
    return done.made, time.perf_counter() - started
