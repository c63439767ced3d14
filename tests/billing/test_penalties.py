"""The night's penalties: raised once, held, spared, made up for, and reversed with their bills."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.utils import DatabaseError
from django.utils import timezone

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.penalties import operations, queries
from chamberlain.billing.penalties.models import Penalty, PenaltyRun
from chamberlain.billing.penalties.operations import (
    RunResult,
    end_hold,
    hold_penalties,
    raise_penalties,
)
from chamberlain.billing.penalties.policy import Policy, load_late_policies, policy_on
from chamberlain.billing.penalties.tasks import raise_penalties_by_night
from chamberlain.billing.plans.models import InForce, Instalment, Plan, PlanCharge, PlanTerms
from chamberlain.billing.running import run
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Center, Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay, Charge
from chamberlain.ledger.operations import (
    open_accounts,
    open_business_day,
    reverse_entry,
    seal_business_day,
)
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed, Leg, NewCharge, NewEntry, post, raise_charges
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.registry.models import Property, PropertyType, ServicePoint
from tests.billing import town
from tests.billing.rebilling_scenes import take_back
from tests.office import NOW, make_actor
from tests.web import scenes

pytestmark = pytest.mark.django_db

RAISED = date(2026, 1, 7)
LATE = date(2026, 1, 31)
NIGHT = date(2026, 2, 1)


class Nights:
    """A revenue office whose days are opened one after the other."""

    def __init__(self) -> None:
        chart.ensure_basic_chart()
        self.center = Center.objects.create(
            code="RO", name="Revenue office", kind=Center.Kind.REVENUE_OFFICE
        )
        for kind in ("water", "penalty", "citation"):
            chart.ensure_charge_kind(kind, kind.title(), 10)
        load_late_policies(program_actor(), [policy()])
        self.day = self.open(RAISED)

    def open(self, day: date) -> BusinessDay:
        """Closes the present day and opens another."""
        found = getattr(self, "day", None)
        if found is not None:
            seal_business_day(program_actor(), found.pk, NOW)
        self.day = open_business_day(program_actor(), self.center.pk, day, NOW)
        return self.day

    def owe(self, number: str, *cents: int, kind: str = "water") -> list[Charge]:
        """A new account with charges of one bill, raised today and due today."""
        [account_id] = open_accounts([number], date(2020, 1, 1))
        of = chart.charge_kinds()[kind]
        day = self.day.day
        new = [
            NewCharge(account_id, of.id, of.receivable_id, of.revenue_id, c, day, day, number)
            for c in cents
        ]
        entry = NewEntry(self.day.pk, "bill", program_actor().user_id, NOW, number, [])
        ids = raise_charges(entry, new)[1]
        return list(Charge.objects.filter(pk__in=ids).order_by("pk"))

    def pay(self, number: str, cents: int, key: str) -> None:
        """A payment on the present day."""
        new = NewPayment(number, cents, "lockbox", key)
        post_payment(program_actor(), self.center.pk, new, NOW, key)

    def run(self, on: date, since: date | None = None) -> RunResult:
        """The night before `on`."""
        return raise_penalties(program_actor(), on, self.day.pk, NOW, since)


def policy(starts_on: date = date(2020, 1, 1), **other: object) -> Policy:
    values: dict[str, object] = {
        "starts_on": starts_on,
        "rate_micros": 12_500,
        "grace_days": 24,
        "days_after_dispute": 10,
        "charge_kinds": ("water",),
        "penalty_kind": "penalty",
        "exempt": ("senior",),
        "source": "made for tests",
        "is_verified": True,
        **other,
    }
    return Policy(**values)  # type: ignore[arg-type]


@pytest.fixture
def nights() -> Nights:
    return Nights()


@pytest.fixture
def clerk() -> Actor:
    return make_actor("clara", Role.CLERK)


def raised_cents() -> list[int]:
    return list(Penalty.objects.order_by("pk").values_list("charge__cents", flat=True))


def test_a_penalty_is_a_charge_that_names_the_charge_that_caused_it(nights: Nights) -> None:
    first, second = nights.owe("A", 10_000, 4_000)
    nights.open(NIGHT)
    result = nights.run(NIGHT)
    assert (result.penalties, result.cents, result.since) == (2, 175, LATE)
    penalty = Penalty.objects.get(caused_by=first)
    assert (penalty.falls_on, penalty.open_cents, penalty.charge.cents) == (LATE, 10_000, 125)
    assert (penalty.charge.document, penalty.charge.raised_on) == ("A", NIGHT)
    [row] = queries.penalties_caused_by([second.pk])
    assert (row.caused_by, row.cents, row.open_cents, row.is_reversed) == (
        "Water",
        50,
        4_000,
        False,
    )
    assert len(queries.penalties_of_account(first.account_id)) == 2
    assert prove(program_actor()).differences == ()


def test_the_same_night_twice_raises_nothing_twice(nights: Nights) -> None:
    nights.owe("A", 10_000)
    nights.open(NIGHT)
    assert nights.run(NIGHT).penalties == 1
    assert nights.run(NIGHT, since=date(2026, 1, 1)).penalties == 0
    assert nights.run(NIGHT).penalties == 0
    penalty, other = Penalty.objects.get(), nights.owe("B", 100)[0]
    with pytest.raises(IntegrityError, match="penalized_once"), transaction.atomic():
        Penalty.objects.create(
            charge=other, caused_by=penalty.caused_by, falls_on=LATE, open_cents=1, run=penalty.run
        )
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM penalties_penalty")


def test_what_is_paid_in_time_draws_none_and_a_part_draws_on_the_rest(nights: Nights) -> None:
    nights.owe("A", 10_000)
    nights.owe("B", 10_000)
    nights.open(LATE)
    nights.pay("A", 10_000, "P1")
    nights.pay("B", 4_000, "P2")
    nights.open(NIGHT)
    assert nights.run(NIGHT).penalties == 1
    assert raised_cents() == [75]


def test_a_night_that_was_missed_is_made_up_for_as_it_would_have_been(nights: Nights) -> None:
    nights.owe("A", 10_000)
    nights.owe("B", 10_000)
    nights.open(NIGHT)
    nights.pay("A", 10_000, "P1")
    nights.pay("B", 4_000, "P2")
    nights.open(date(2026, 3, 2))
    assert nights.run(date(2026, 3, 2), since=date(2026, 1, 1)).penalties == 3
    found = Penalty.objects.order_by("caused_by", "falls_on").values_list("falls_on", "open_cents")
    assert list(found) == [(LATE, 10_000), (LATE, 10_000), (date(2026, 2, 28), 6_000)]


def test_the_next_month_draws_another_on_the_charge_but_none_on_the_penalty(
    nights: Nights,
) -> None:
    nights.owe("A", 10_000)
    for day in (NIGHT, date(2026, 3, 1), date(2026, 4, 1)):
        nights.open(day)
        nights.run(day)
    assert raised_cents() == [125, 125, 125]
    assert PenaltyRun.objects.filter(finished_at__isnull=False).count() == 3


def test_other_kinds_of_charges_draw_none(nights: Nights) -> None:
    nights.owe("A", 10_000, kind="citation")
    nights.open(NIGHT)
    assert nights.run(NIGHT, since=date(2026, 1, 1)).penalties == 0


def test_exempt_holders_draw_none_while_they_are_exempt(nights: Nights) -> None:
    [charge] = nights.owe("A", 10_000)
    exempt_agreement(charge, until=date(2026, 2, 15))
    nights.open(date(2026, 3, 1))
    assert nights.run(date(2026, 3, 1), since=date(2026, 1, 1)).penalties == 1
    assert Penalty.objects.get().falls_on == date(2026, 2, 28)


def exempt_agreement(charge: Charge, until: date) -> None:
    place = Property.objects.create(
        parcel_number="P", address="1 Main St", postal_code="60601",
        property_type=PropertyType.objects.create(code="house", name="House"),
    )  # fmt: skip
    ServiceAgreement.objects.create(
        account_id=charge.account_id,
        service_point=ServicePoint.objects.create(property=place, code="SP"),
        tariff=scenes.water_tariff(),
        rate_class="residential",
        exemptions=["senior"],
        period=DateRange(date(2020, 1, 1), until),
    )


def test_a_dispute_holds_penalties_until_days_after_the_bill_is_sent_again(
    nights: Nights, clerk: Actor
) -> None:
    [charge] = nights.owe("A", 10_000)
    other, _ = nights.owe("B", 10_000, 8_000)
    hold = hold_penalties(clerk, "A", "Disputes the read", date(2026, 1, 20), NOW)
    hold_penalties(clerk, "B", "This line only", date(2026, 1, 20), NOW, other.pk)
    nights.open(NIGHT)
    nights.run(NIGHT)
    assert raised_cents() == [100]
    until = end_hold(clerk, "A", hold, date(2026, 2, 20), NIGHT)
    assert until == date(2026, 3, 3)
    nights.open(date(2026, 4, 1))
    nights.run(date(2026, 4, 1))
    of_a = Penalty.objects.filter(caused_by=charge).values_list("falls_on", flat=True)
    assert list(of_a) == [date(2026, 3, 31)]
    [row] = queries.holds_of_account(charge.account_id)
    assert (row.from_on, row.until_on, row.placed_by) == (date(2026, 1, 20), until, "Clara")
    with pytest.raises(AlreadyDone):
        end_hold(clerk, "A", hold, date(2026, 2, 20), NIGHT)


def test_a_hold_is_for_a_reason_and_a_charge_of_the_account(nights: Nights, clerk: Actor) -> None:
    nights.owe("A", 10_000)
    [other] = nights.owe("B", 10_000)
    with pytest.raises(Invalid, match="Say why"):
        hold_penalties(clerk, "A", " ", RAISED, NOW)
    with pytest.raises(Invalid, match="not on this account"):
        hold_penalties(clerk, "A", "x", RAISED, NOW, other.pk)
    with pytest.raises(Invalid, match="Give a day until"):
        hold_penalties(clerk, "A", "x", date.max, NOW)
    with pytest.raises(NotFound):
        end_hold(clerk, "A", 0, RAISED, RAISED)


@pytest.mark.parametrize("resent_on", [date.max, date(2027, 2, 3), date(2026, 1, 19), date.min])
def test_a_hold_ends_after_it_began_and_not_in_another_age(
    nights: Nights, clerk: Actor, resent_on: date
) -> None:
    nights.owe("A", 10_000)
    hold = hold_penalties(clerk, "A", "Disputes the read", date(2026, 1, 20), NOW)
    with pytest.raises(Invalid, match=r"began on January 20, 2026; give a day from") as refused:
        end_hold(clerk, "A", hold, resent_on, NIGHT)
    assert refused.value.field == "resent_on"
    assert end_hold(clerk, "A", hold, date(2026, 1, 20), NIGHT) == date(2026, 1, 31)


def test_a_hold_is_ended_at_its_own_account(nights: Nights, clerk: Actor) -> None:
    nights.owe("A", 10_000)
    nights.owe("B", 10_000)
    hold = hold_penalties(clerk, "A", "Disputes the read", date(2026, 1, 20), NOW)
    with pytest.raises(NotFound, match="no such hold"):
        end_hold(clerk, "B", hold, date(2026, 2, 20), NIGHT)


def test_charges_in_a_plan_in_force_draw_none(nights: Nights, clerk: Actor) -> None:
    [charge] = nights.owe("A", 10_000)
    terms = PlanTerms.objects.create(
        code="p", name="P", starts_on=RAISED, charge_kinds=["water"], down_payment_basis_points=0,
        longest_instalments=3, interval_months=1, smallest_plan_cents=1,
        smallest_instalment_cents=1, grace_days=1, needs_new_bills_paid=False, reinstatements=0,
        reinstatement_days=1, approvals=[], source="tests", is_verified=True,
    )  # fmt: skip
    plan = Plan.objects.create(
        number="PP-1", account_id=charge.account_id, terms=terms, status="in_force",
        total_cents=10_000, starts_on=RAISED, needs_approval=False, offered_by_id=clerk.user_id,
        offered_at=NOW, idempotency_key="p",
    )  # fmt: skip
    PlanCharge.objects.create(plan=plan, charge=charge, cents=10_000)
    Instalment.objects.create(plan=plan, number=1, due_on=NIGHT, cents=10_000)
    InForce.objects.create(plan=plan, period=DateRange(RAISED, date(2026, 2, 20)))
    nights.open(date(2026, 3, 1))
    nights.run(date(2026, 3, 1), since=date(2026, 1, 1))
    assert [p.falls_on for p in Penalty.objects.all()] == [date(2026, 2, 28)]


def test_penalties_go_with_the_bill_and_what_was_paid_on_them_becomes_credit() -> None:
    place = town.make_town(1)
    chart.ensure_charge_kind("penalty", "Penalty", 5)
    load_late_policies(program_actor(), [policy(charge_kinds=("water", "sewer"))])
    run(town.plan(place))
    account_id = place.agreements[0].account_id
    on = place.day.day + timedelta(days=1)
    charges = Charge.objects.filter(account=account_id)
    bill = charges.first().document  # type: ignore[union-attr]
    day = move_on(place.day, date(2026, 4, 20))
    night = raise_penalties(program_actor(), date(2026, 4, 20), day.pk, NOW, on)
    assert night.penalties == 2
    post_payment(program_actor(), day.center_id, NewPayment("T00000", 5, "lockbox", "P"), NOW, "P")
    take_back(bill, day.pk)
    after = balance(account_id)
    assert (after.owed_cents, after.credit_cents) == (0, 5)
    assert all(row.is_reversed for row in queries.penalties_of_account(account_id))
    assert prove(program_actor()).differences == ()
    assert raise_penalties(program_actor(), date(2026, 4, 21), day.pk, NOW).reversed == 0


def move_on(day: BusinessDay, to: date) -> BusinessDay:
    seal_business_day(program_actor(), day.pk, NOW)
    return open_business_day(program_actor(), day.center_id, to, NOW)


def test_a_bill_reversed_by_another_room_loses_its_penalties_by_night() -> None:
    place = town.make_town(2)
    chart.ensure_charge_kind("penalty", "Penalty", 50)
    load_late_policies(program_actor(), [policy(charge_kinds=("water", "sewer"))])
    run(town.plan(place))
    day = move_on(place.day, date(2026, 4, 20))
    raise_penalties(program_actor(), date(2026, 4, 20), day.pk, NOW, date(2026, 3, 1))
    first = Charge.objects.filter(account=place.agreements[0].account_id).first()
    assert first is not None
    entry = first.entry_id
    reverse_entry(program_actor(), entry, day.pk, NOW, kind="reverse_bill", reason="wrong")
    result = raise_penalties(program_actor(), date(2026, 4, 21), day.pk, NOW)
    assert (result.reversed, result.penalties) == (2, 0)
    assert balance(first.account_id).owed_cents == 0
    assert balance(place.agreements[1].account_id).owed_cents > 0


def test_a_charge_of_a_reversed_bill_draws_none_though_it_was_opened_again(nights: Nights) -> None:
    [charge] = nights.owe("A", 10_000)
    reverse_entry(program_actor(), charge.entry_id, nights.day.pk, NOW, kind="bill", reason="x")
    water, credits_id = chart.charge_kinds()["water"], chart.ledger_account_id(chart.CREDITS)
    leg = Leg(water.receivable_id, credits_id, 10_000, "unsettle", charge.account_id, charge.pk)
    post(NewEntry(nights.day.pk, "adjustment", program_actor().user_id, NOW, "A", [leg]))
    assert balance(charge.account_id).owed_cents == 10_000
    nights.open(NIGHT)
    assert nights.run(NIGHT).penalties == 0


def test_many_accounts_are_done_in_chunks(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "CHUNK_ACCOUNTS", 2)
    for i in range(5):
        nights.owe(f"N{i}", 10_000)
    nights.open(NIGHT)
    seen: list[tuple[int, int]] = []
    raise_penalties(
        program_actor(),
        NIGHT,
        nights.day.pk,
        NOW,
        progress=lambda done, of: seen.append((done, of)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert raised_cents() == [125] * 5


def test_a_run_that_was_killed_is_run_once_more(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "CHUNK_ACCOUNTS", 1)
    for i in range(3):
        nights.owe(f"N{i}", 10_000)
    nights.open(NIGHT)

    def die(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        raise_penalties(program_actor(), NIGHT, nights.day.pk, NOW, progress=die)
    assert len(raised_cents()) == 2
    assert nights.run(NIGHT).penalties == 1
    assert raised_cents() == [125] * 3


def test_a_run_needs_the_permission_an_open_day_and_a_day_that_has_ended(
    nights: Nights, clerk: Actor
) -> None:
    with pytest.raises(NotPermitted):
        raise_penalties(clerk, RAISED, nights.day.pk, NOW)
    with pytest.raises(NotFound, match="business day"):
        raise_penalties(program_actor(), RAISED, 0, NOW)
    with pytest.raises(Invalid, match="have ended"):
        nights.run(RAISED + timedelta(days=2))
    with pytest.raises(Invalid, match="not before"):
        nights.run(RAISED, since=RAISED)
    seal_business_day(program_actor(), nights.day.pk, NOW)
    with pytest.raises(DayClosed):
        nights.run(RAISED)


def test_a_run_does_not_leave_out_days_after_the_last(nights: Nights) -> None:
    nights.owe("A", 10_000)
    nights.open(date(2026, 3, 1))
    nights.run(LATE, since=date(2026, 1, 1))
    with pytest.raises(Invalid, match=r"days before January 31, 2026; begin") as refused:
        nights.run(date(2026, 3, 1), since=LATE + timedelta(days=1))
    assert refused.value.field == "since"
    assert nights.run(date(2026, 3, 1), since=LATE).penalties == 2


def test_two_runs_at_a_time_do_not_raise_both(nights: Nights) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [operations.RUN_LOCK])
        with pytest.raises(AlreadyDone, match="under way"):
            nights.run(RAISED)
    finally:
        other.close()


def test_a_policy_that_changes_holds_for_the_days_after_it(nights: Nights) -> None:
    load_late_policies(program_actor(), [policy(date(2026, 2, 10), rate_micros=20_000)])
    nights.owe("A", 10_000)
    nights.open(date(2026, 3, 1))
    nights.run(date(2026, 3, 1), since=date(2026, 1, 1))
    assert raised_cents() == [125, 200]


def test_a_city_without_a_policy_or_its_kinds_is_told_so(nights: Nights) -> None:
    with pytest.raises(NotFound, match="no late policy"):
        policy_on(date(2019, 1, 1))
    with pytest.raises(NotFound, match="charge kind steam"):
        load_late_policies(program_actor(), [policy(charge_kinds=("steam",))])


def test_the_worker_raises_by_night_on_the_open_day(nights: Nights) -> None:
    nights.owe("A", 10_000)
    nights.open(timezone.localdate())
    raise_penalties_by_night(0)
    assert PenaltyRun.objects.get().on == timezone.localdate()
    seal_business_day(program_actor(), nights.day.pk, NOW)
    with pytest.raises(NotFound, match="no open day"):
        raise_penalties_by_night(0)
