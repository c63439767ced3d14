"""Rebilling equals billing right the first time, whatever was wrong and whoever paid when.

Two services with the same truth: one is billed right from the start; the other is billed from
wrong reads, a wrong tariff, wrong terms or a wrong first day, is paid the same, and is set right
at the end. What stands billed and what is owed must then be the same, line by line.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.rebilling import operations
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import NewRebill, NothingToRebill, RuleTerms
from chamberlain.billing.running import run
from chamberlain.database.rows import rows
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.metering.models import Read
from chamberlain.registry.models import Property, PropertyType, ServicePoint
from chamberlain.tariffs.models import Component, Tariff
from tests.billing.rebilling_scenes import load_limits
from tests.office import DAY, NOW, make_actor
from tests.web import scenes

START = date(2025, 3, 3)
SINCE = date(2024, 1, 1)
CLASSES = ("house", "shop")
EXEMPTIONS = ((), ("senior",))


@dataclass(frozen=True)
class Terms:
    """What an agreement says."""

    rate_class: str
    dwelling_units: int
    exemptions: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """A service's truth, what was believed instead, and what was paid after each bill."""

    days: list[int]
    usages: list[int]
    believed_usages: list[int]
    payments: list[int]
    terms: Terms
    believed_terms: Terms
    terms_from: int
    first_day: int
    believed_first_day: int
    is_other_tariff: bool
    is_rate_amended: bool
    is_reads_first: bool


terms = st.builds(Terms, st.sampled_from(CLASSES), st.integers(1, 3), st.sampled_from(EXEMPTIONS))


@st.composite
def histories(draw: st.DrawFn) -> History:
    periods = draw(st.integers(1, 4))

    def each(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=periods, max_size=periods))

    usages = each(0, 20_000)
    return History(
        days=each(20, 62),
        usages=usages,
        believed_usages=draw(st.sampled_from([usages, each(0, 20_000)])),
        payments=each(0, 30_000),
        terms=draw(terms),
        believed_terms=draw(terms),
        terms_from=draw(st.integers(0, 120)),
        first_day=draw(st.integers(1, 19)),
        believed_first_day=draw(st.integers(1, 19)),
        is_other_tariff=draw(st.booleans()),
        is_rate_amended=draw(st.booleans()),
        is_reads_first=draw(st.booleans()),
    )


_names = count(1)


@dataclass
class Service:
    """A service point with the account that lived there before and the one that does now."""

    point: ServicePoint
    before: int
    account: int
    tariff: Tariff
    number: str


def tariff(code: str, *, is_wrong: bool) -> Tariff:
    """Water by class, sewer as a share of it, and a fee for each dwelling unit."""
    made = Tariff.objects.create(
        code=code, name=code, kind="city", unit="kgal", proration="by_day", source="test"
    )
    for position, (name, terms_of) in enumerate(_components(is_wrong=is_wrong), 1):
        Component.objects.create(
            tariff=made,
            position=position,
            code=name,
            label=name.title(),
            charge_kind="sewer" if name == "sewer" else "water",
            formula=name,
            terms=terms_of,
            source="test",
        )
    return made


def _components(*, is_wrong: bool) -> list[tuple[str, dict[str, object]]]:
    rate = "3.91" if is_wrong else "4.37"
    return [
        (
            "water",
            {
                "type": "flat_rate",
                "unit": "kgal",
                "by": ["rate_class"],
                "exemptions": [{"code": "senior", "percent": "33.33"}],
                "versions": [
                    {"effective": "2020-01-01", "rates": {"house": rate, "shop": "6.011"}},
                    {"effective": "2025-05-01", "rates": {"house": "4.73", "shop": "6.5"}},
                ],
            },
        ),
        (
            "sewer",
            {
                "type": "percent",
                "of": ["water"],
                "versions": [{"effective": "2020-01-01", "percent": "87.5"}],
            },
        ),
        (
            "garbage",
            {
                "type": "per_dwelling_unit",
                "per": "month",
                "versions": [{"effective": "2020-01-01", "amount": "9.5"}],
            },
        ),
    ]


def service(history: History, bills_by: Tariff, *, is_right: bool) -> Service:
    """A service as it is believed to be, or as it is."""
    n = next(_names)
    place = Property.objects.create(
        parcel_number=f"R{n}",
        address=f"{n} Main St",
        postal_code="60601",
        property_type=PropertyType.objects.get_or_create(code="house", name="House")[0],
    )
    point = ServicePoint.objects.create(property=place, code=f"R{n}")
    before, account = ledger.open_accounts([f"B{n}", f"A{n}"], SINCE)
    first = START + timedelta(days=history.first_day if is_right else history.believed_first_day)
    change = max(first, START + timedelta(days=history.terms_from))
    now = history.terms if is_right else history.believed_terms
    parts = [
        (before, history.believed_terms, SINCE, first),
        (account, history.believed_terms, first, change),
        (account, now, change, None),
    ]
    if now == history.believed_terms:
        parts[1:] = [(account, now, first, None)]
    for account_id, said, since, until in parts:
        if since != until:
            ServiceAgreement.objects.create(
                account_id=account_id,
                service_point=point,
                tariff=bills_by,
                rate_class=said.rate_class,
                dwelling_units=said.dwelling_units,
                exemptions=list(said.exemptions),
                period=DateRange(since, until),
            )
    return Service(point, before, account, bills_by, f"A{n}")


def read(where: Service, start: date, end: date, usage: int) -> int:
    made = Read.objects.create(
        service_point=where.point,
        from_on=start,
        to_on=end,
        unit="kgal",
        quality="actual",
        is_verified=True,
        source=f"{where.number}-{start}",
        usage_thousandths=usage,
    )
    return int(made.pk)


def bill(tariffs: set[str], up_to: date, day_id: int) -> None:
    bill_on(tariffs, up_to, day_id, date(2026, 4, 1))


def bill_on(tariffs: set[str], up_to: date, day_id: int, due_on: date) -> None:
    """Bills reads up to a day, due on another."""
    for code in sorted(tariffs):
        name = f"{code}-{next(_names)}"
        planned = RunPlan(name, code, day_id, due_on, up_to)
        run(plan_bill_run(program_actor(), planned, NOW, name))


def pay(center_id: int, number: str, cents: int) -> None:
    if cents:
        key = f"pay-{next(_names)}"
        payment = NewPayment(number, cents, "lockbox", key)
        post_payment(program_actor(), center_id, payment, NOW, key)


def billed(account_id: int) -> list[tuple[object, ...]]:
    """Every line that stands, by days and component."""
    return rows(
        """
        SELECT b.from_on, b.to_on, m.code, l.cents, l.quantity_thousandths, l.unit, l.rate_micros,
            l.days
        FROM billing_bill b JOIN billing_billline l ON l.bill_id = b.id
        JOIN tariffs_component m ON m.id = l.component_id
        WHERE b.account_id = %s
            AND NOT EXISTS (SELECT 1 FROM billing_bill x WHERE x.replaces_id = b.id)
            AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)
        ORDER BY b.from_on, m.code""",
        [account_id],
    )


def set_right(asked: Corrections, where: Service, from_on: date, day_id: int) -> None:
    key = f"rebill-{next(_names)}"
    new = NewRebill(where.number, from_on, None, "court_order", "Set right", asked)
    try:
        rebill_id = operations.draft_rebill(program_actor(), new, DAY, NOW, key)
    except NothingToRebill:
        return
    second = replace(program_actor(), user_id=make_actor(f"second-{key}").user_id)
    operations.post_rebill(second, rebill_id, day_id, DAY, NOW)


def corrections(
    history: History, read_ids: list[int], right: str
) -> list[tuple[Corrections, date]]:
    """What a clerk enters, one rebill for each, and the day from which it holds."""
    said = history.terms
    first = START + timedelta(days=history.first_day)
    change = max(first, START + timedelta(days=history.terms_from))
    reads = Corrections(reads=dict(zip(read_ids, history.usages, strict=True)))
    found = [
        (Corrections(started_on=first), START),
        (
            Corrections(
                rate_class=said.rate_class,
                dwelling_units=said.dwelling_units,
                exemptions=said.exemptions,
            ),
            change,
        ),
        (Corrections(tariff_code=right), SINCE),
    ]
    return [(reads, SINCE), *found] if history.is_reads_first else [*found, (reads, SINCE)]


@pytest.mark.django_db
@settings(max_examples=30)
@given(histories())
def test_rebilling_equals_billing_right_the_first_time(history: History) -> None:
    with transaction.atomic():
        _hold_the_two_together(history)
        transaction.set_rollback(True)


def _hold_the_two_together(history: History) -> None:
    chart.forget()
    center, day = scenes.revenue_office()
    for kind, priority in (("water", 10), ("sewer", 20)):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 10**9, 24, "chosen for the test", False))
    right, amended = tariff("right", is_wrong=False), tariff("amended", is_wrong=True)
    believed = amended if history.is_other_tariff or history.is_rate_amended else right
    truth = service(history, right, is_right=True)
    belief = service(history, believed, is_right=False)
    start, read_ids = START, []
    for i, days in enumerate(history.days):
        end = start + timedelta(days=days)
        read(truth, start, end, history.usages[i])
        read_ids.append(read(belief, start, end, history.believed_usages[i]))
        bill({right.code, believed.code}, end, day.pk)
        pay(center.pk, truth.number, history.payments[i])
        pay(center.pk, belief.number, history.payments[i])
        start = end
    if history.is_rate_amended:
        for name, terms_of in _components(is_wrong=False):
            Component.objects.filter(tariff=amended, code=name).update(terms=terms_of)
    target = believed.code if history.is_rate_amended else right.code
    for asked, from_on in corrections(history, read_ids, target):
        set_right(asked, belief, from_on, day.pk)
    if target != right.code or believed is right:
        assert billed(belief.before) == billed(truth.before)
        assert balance(belief.before) == balance(truth.before)
    assert billed(belief.account) == billed(truth.account)
    assert balance(belief.account) == balance(truth.account)
    bill({right.code, believed.code}, start, day.pk)
    assert billed(belief.account) == billed(truth.account)
    assert prove(program_actor()).differences == ()
