"""The payoff of a certificate equals what the final bill then charges, whatever came before."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chamberlain.billing.certificates import operations, queries
from chamberlain.billing.certificates.deadlines import ROWS, deadlines
from chamberlain.billing.certificates.estimating import estimates
from chamberlain.billing.certificates.models import Application
from chamberlain.billing.certificates.payoff import _wanted
from chamberlain.billing.certificates.unbilled import NotPayable, Wanted, unbilled, unread_services
from chamberlain.billing.finals import queries as finals
from chamberlain.billing.finals.operations import Leaving, ask_final_bill, make_final_bill
from chamberlain.billing.finals.reading import estimate_final_read
from chamberlain.billing.finals.terms import Terms as FinalTerms
from chamberlain.billing.finals.terms import load_final_terms
from chamberlain.billing.models import Bill, Chunk, ServiceAgreement
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.penalties.candidates import Night
from chamberlain.billing.penalties.operations import penalties_due
from chamberlain.billing.penalties.policy import policies
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.periods import add_months
from chamberlain.ledger.models import Charge
from chamberlain.ledger.queries import open_charges
from chamberlain.metering.models import Installation, Meter, Read
from chamberlain.metering.operations import ImplausibleRead, record_estimate, record_read
from tests.billing.certificates_office import SEEN, Desk, make_desk
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db

RATES = [(date(2021, 6, 1), 4_170), (date(2023, 6, 1), 4_450), (date(2025, 6, 1), 4_690)]
"""Thousandths of a dollar for a thousand gallons, from a day on; sewer is as much again."""


@pytest.fixture
def desk() -> Desk:
    made = make_desk()
    terms = FinalTerms(date(2010, 1, 1), 21, 366, "move", "move", "chosen for the test", False)
    load_final_terms(program_actor(), [terms])
    return made


histories = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 60), st.booleans()), min_size=1, max_size=4
)


def half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


def water_cents(from_on: date, to_on: date, thousandths: int) -> int:
    """The water line by hand: each day costs its share of the usage at that day's rate."""
    days = (to_on - from_on).days
    dollars = Fraction(0)
    for i in range(days):
        rate = max((start, rate) for start, rate in RATES if start <= from_on + timedelta(days=i))
        dollars += Fraction(thousandths, 1000) / days * Fraction(rate[1], 1000)
    return half_up(dollars * 100)


def history(desk: Desk, reads: list[tuple[int, int, bool]]) -> None:
    """Replaces the account's reads before DAY's: (days, thousand gallons, billed or not)."""
    register = Read.objects.order_by("-to_on").first().register
    point = ServiceAgreement.objects.get(account=desk.place.account).service_point
    start = DAY
    for i, (days, used, is_verified) in enumerate(reads):
        end = start + timedelta(days=days)
        register = (register + used) % 10**6
        Read.objects.create(
            service_point=point, meter=Meter.objects.get(), from_on=start, to_on=end,
            register=register, usage_thousandths=used * 1000, unit="kgal", quality="actual",
            is_verified=is_verified, source=f"history {i}",
        )  # fmt: skip
        start = end


def by_hand(closing_on: date, usage_days: int = 366) -> int:
    """What the unbilled reads and the estimate come to, reckoned plainly from the reads."""
    point = ServiceAgreement.objects.get().service_point_id
    reads = list(Read.objects.filter(service_point=point).order_by("to_on"))
    billed = set(Bill.objects.values_list("read_id", flat=True))
    cents = sum(
        2 * water_cents(r.from_on, r.to_on, r.usage_thousandths)
        for r in reads
        if r.pk not in billed
    )
    last = reads[-1].to_on
    if last < closing_on:
        looked_at = [r for r in reads if r.to_on > closing_on - timedelta(days=usage_days)]
        used = sum(r.usage_thousandths for r in looked_at)
        days = sum((r.to_on - r.from_on).days for r in looked_at)
        estimate = half_up(Fraction(used * (closing_on - last).days, max(days, 1)))
        whole = half_up(Fraction(estimate, 1000)) * 1000
        cents += 2 * water_cents(last, closing_on, whole)
    return cents


def penalties_by_hand(closing_on: date) -> list[tuple[date, int]]:
    """Penalties from DAY to the closing: 1.25 percent of what is open of each water and sewer
    charge, on the last day of its 24 days or its due date, and each month after."""
    found = []
    for charge in open_charges([ServiceAgreement.objects.get().account_id]):
        if charge.kind not in ("water", "sewer"):
            continue
        last = max(charge.due_on, charge.raised_on + timedelta(days=24))
        for month in range(60):
            falls_on = add_months(last, month)
            if DAY <= falls_on < closing_on:
                found.append((falls_on, half_up(Fraction(charge.open_cents * 125, 10_000))))
    return found


def by_a_bill_run(desk: Desk, wanted: Wanted) -> int:
    """What an ordinary bill run charges, once the estimate stands as a read; undone again."""
    with transaction.atomic():
        for row in unread_services(connection.connection, [wanted]).iter_rows(named=True):
            record_estimate(
                program_actor(), row["service_point_id"], row["last_on"], row["closing_on"],
                row["usage_thousandths"], row["unit"], "for the run",
            )  # fmt: skip
        plan = RunPlan(
            "Final", "chicago-metered", desk.place.day.pk, DAY + timedelta(days=30),
            wanted.closing_on,
        )  # fmt: skip
        run_id = plan_bill_run(program_actor(), plan, NOW, "final run")
        run(run_id)
        cents = sum(Chunk.objects.filter(run_id=run_id).values_list("cents", flat=True))
        transaction.set_rollback(True)
    return int(cents)


def by_a_final_bill(desk: Desk, closing_on: date) -> int:
    """What the final bill charges when the seller moves out at the closing; undone again."""
    with transaction.atomic():
        leaving = Leaving(desk.place.number, closing_on)
        move_out = ask_final_bill(desk.clerk, leaving, closing_on, NOW)
        for order in finals.final_reads(move_out):
            if order.read_on is None:
                estimate_final_read(desk.clerk, order.order_id, closing_on)
        made = make_final_bill(desk.clerk, move_out, desk.place.day.pk, NOW)
        transaction.set_rollback(True)
    return made.cents


@given(
    reads=histories,
    days=st.integers(0, 60),
    final=st.integers(0, 30),
    is_exempt=st.booleans(),
)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_the_payoff_equals_what_the_final_bill_then_charges(desk, reads, days, final, is_exempt):
    with transaction.atomic():
        ServiceAgreement.objects.update(exemptions=["senior"] if is_exempt else [])
        history(desk, reads)
        read_on = DAY + timedelta(days=sum(each[0] for each in reads) + 1)
        closing_on = read_on + timedelta(days=days)
        number = operations.submit_application(
            desk.clerk, replace(desk.asked, closing_on=closing_on), read_on, NOW, "k"
        )
        operations.accept_application(desk.clerk, number, SEEN, desk.place.day.pk, NOW)
        order = queries.final_reads(queries.application(number).application_id)[0]
        register = (order.last_register + final) % 10**6
        operations.record_final_read(desk.clerk, order.order_id, read_on, register, read_on)
        application = Application.objects.select_related("terms").get(number=number)
        payoff = queries.payoff_of(application.pk)
        assert sum(bill.cents for bill in payoff.bills) == by_hand(closing_on)
        assert sum(bill.cents for bill in payoff.bills) == by_a_bill_run(desk, _wanted(application))
        penalties = [] if is_exempt else penalties_by_hand(closing_on)
        assert sorted((p.falls_on, p.cents) for p in payoff.penalties) == sorted(penalties)
        assert by_a_final_bill(desk, closing_on) == sum(bill.cents for bill in payoff.bills)
        before = set(Charge.objects.values_list("pk", flat=True))
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
        raised = Charge.objects.exclude(pk__in=before)
        assert sum(raised.values_list("cents", flat=True)) == payoff.new_cents
        assert by_a_final_bill(desk, closing_on) == 0
        night = Night(DAY, closing_on, tuple(policies()), (desk.place.day.pk,))
        account_id = desk.place.account.pk
        later = penalties_due(night, account_id, account_id)
        assert set(later["charge_id"]) <= set(raised.values_list("pk", flat=True))
        transaction.set_rollback(True)


def test_a_meter_that_nobody_read_is_estimated_by_the_usual_usage_of_its_agreement():
    rows = {
        "agreement_id": [1, 2, 3, 4],
        "last_on": [DAY] * 4,
        "closing_on": [DAY + timedelta(days=10)] * 4,
        "used_thousandths": [12_000, 0, 0, 12_340],
        "used_days": [60, 0, 0, 60],
        "normal_daily_thousandths": [None, 250, None, 99],
        "has_register": [True, True, True, False],
    }
    found = estimates(pl.DataFrame(rows, schema_overrides={"normal_daily_thousandths": pl.Int64}))
    assert found["usage_thousandths"].to_list() == [2_000, 3_000, None, 2_057]


def test_without_any_usage_to_go_by_a_read_is_asked_for(desk):
    agreement = ServiceAgreement.objects.get()
    wanted = Wanted(agreement.account_id, DAY + timedelta(days=400), 30)
    with pytest.raises(NotPayable, match="take a read of it first"):
        unbilled(connection.connection, [wanted])


def test_an_account_and_many_are_the_same_function(desk):
    closing_on = DAY + timedelta(days=9)
    wanted = Wanted(desk.place.account.pk, closing_on, 366)
    assert unbilled(connection.connection, []).cents == 0
    assert unbilled(connection.connection, [wanted]).cents == by_hand(closing_on)


def test_an_agreement_that_began_after_the_last_read_has_its_own_days_of_the_estimate(desk):
    agreement = ServiceAgreement.objects.get()
    agreement.period = DateRange(DAY + timedelta(days=30), None)
    agreement.save()
    wanted = Wanted(agreement.account_id, DAY + timedelta(days=60), 366)
    [usage] = unbilled(connection.connection, [wanted]).usages.rows(named=True)
    [service] = unread_services(connection.connection, [wanted]).rows(named=True)
    assert (usage["from_on"], usage["to_on"]) == (DAY + timedelta(days=30), wanted.closing_on)
    assert usage["usage_thousandths"] == service["usage_thousandths"] // 2


def test_a_meter_goes_on_from_the_estimate(desk):
    point = ServiceAgreement.objects.get().service_point_id
    last = Read.objects.order_by("-to_on").first()
    end = DAY + timedelta(days=9)
    with pytest.raises(Invalid, match="zero or more"):
        record_estimate(desk.clerk, point, DAY, end, -1, "kgal", "closing")
    record_estimate(desk.clerk, point, DAY, end, 2_000, "kgal", "closing")
    with pytest.raises(ImplausibleRead, match="in the meantime"):
        record_estimate(desk.clerk, point, DAY, end, 2_000, "kgal", "closing again")
    later = end + timedelta(days=5)
    made = record_read(desk.clerk, "M-77120", later, last.register + 5, later)
    found = Read.objects.get(pk=made)
    assert (found.from_on, found.usage_thousandths) == (end, 3_000)


def test_a_new_meter_is_estimated_from_its_first_register_and_none_without_a_meter(desk):
    point = ServiceAgreement.objects.get().service_point_id
    end = DAY + timedelta(days=9)
    Read.objects.all().update(register=None)
    made = record_estimate(desk.clerk, point, DAY, end, 2_000, "kgal", "closing")
    assert Read.objects.get(pk=made).register == 2
    Installation.objects.all().delete()
    made = record_estimate(desk.clerk, point, end, end + timedelta(days=9), 7, "kgal", "next")
    assert Read.objects.get(pk=made).register is None


STEPS = {"accept": 1, "read": 5, "review": 2, "payoff": 1, "payment": 3, "issue": 1}
waiting = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["received", "accepted", "payable"]),
        "age": st.integers(0, 40),
        "closing": st.integers(-5, 30),
        "is_metered": st.booleans(),
        "reads_waiting": st.integers(0, 2),
        "is_reviewed": st.booleans(),
        "open_cents": st.sampled_from([0, 5000]),
    }
)


def days_left(one: dict[str, object]) -> int:
    """The steps still to do, told one after the other."""
    days = STEPS["issue"]
    if one["stage"] == "payable":
        return days + (STEPS["payment"] if one["open_cents"] else 0)
    days += STEPS["payoff"] + STEPS["payment"]
    if one["stage"] == "received":
        days += STEPS["accept"]
    if one["is_metered"]:
        days += STEPS["read"] if one["stage"] == "received" or one["reads_waiting"] else 0
    elif not one["is_reviewed"]:
        days += STEPS["review"]
    return days


@given(st.lists(waiting, max_size=12))
def test_those_that_will_miss_their_closing_come_first_then_the_oldest(found):
    frame = pl.DataFrame(
        [
            {
                **{name: one[name] for name in ("stage", "is_metered", "reads_waiting",
                                                "is_reviewed", "open_cents")},
                "application_id": i,
                "received_on": DAY - timedelta(days=one["age"]),
                "closing_on": DAY + timedelta(days=one["closing"]),
                **{f"{step}_days": days for step, days in STEPS.items()},
            }
            for i, one in enumerate(found)
        ],
        schema=ROWS,
    )  # fmt: skip
    expected = []
    for i, one in enumerate(found):
        late_by = days_left(one) - one["closing"]
        expected.append((late_by <= 0, -max(late_by, 0), -one["age"], i))
    ordered = deadlines(frame, DAY)
    assert ordered["application_id"].to_list() == [key[-1] for key in sorted(expected)]
    assert ordered["misses"].to_list() == [not key[0] for key in sorted(expected)]
