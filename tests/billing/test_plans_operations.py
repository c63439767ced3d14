"""Payment plans from the offer to the last instalment, or to default and back."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from chamberlain.billing.approving import Approval
from chamberlain.billing.plans import documents, operations, queries
from chamberlain.billing.plans.models import InForce, Instalment, Plan, PlanCharge, PlanTerms
from chamberlain.billing.plans.offers import charges_for_plan, what_if
from chamberlain.billing.plans.review import review_plans
from chamberlain.billing.plans.tasks import review_plans_by_night
from chamberlain.billing.plans.terms import Terms, terms_on
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Center, Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import BusinessDay, Entry
from chamberlain.ledger.proof import prove
from tests import office
from tests.billing.plan_office import bill_more, load_terms, offered, pay, wanted
from tests.office import DAY, NOW, Owed

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Place:
    """An account that owes $800.00 in two bills of water, and the people around it."""

    center: Center
    day: BusinessDay
    owed: Owed
    clerk: Actor
    supervisor: Actor
    coordinator: Actor


@pytest.fixture
def place() -> Place:
    load_terms()
    center = office.make_center()
    day = office.open_day(center)
    return Place(
        center,
        day,
        office.owe(day, "A1", 50_000, 30_000),
        office.make_actor("robin", Role.CLERK),
        office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR),
        office.make_actor("cory", Role.COORDINATOR),
    )


@pytest.fixture
def large(place: Place) -> Owed:
    return office.owe(place.day, "B1", 300_000)


def test_what_if_shows_the_plan_and_saves_nothing(place: Place) -> None:
    offer = what_if(wanted(place.owed, 3), DAY)
    assert (offer.total_cents, offer.approval.roles) == (80_000, ())
    assert [(each.number, each.due_on, each.cents) for each in offer.instalments] == [
        (1, date(2026, 3, 2), 26_667),
        (2, date(2026, 4, 2), 26_667),
        (3, date(2026, 5, 2), 26_666),
    ]
    assert not Plan.objects.exists()


def test_a_plan_within_the_clerks_limit_is_in_force_at_once(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    assert (plan.status, plan.total_cents, plan.needs_approval) == ("in_force", 80_000, False)
    assert offered(place.clerk, place.owed).pk == plan.pk
    held = queries.charges_in_kept_plans()
    assert held["charge_id"].to_list() == place.owed.charge_ids
    assert queries.charges_in_kept_plans(DAY, [place.owed.charge_ids[0]]).height == 1
    assert queries.charges_in_kept_plans(DAY - timedelta(days=1)).is_empty()
    assert charges_for_plan(place.owed.account_id, terms_on(DAY)) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_larger_plan_waits_for_another_person_of_the_right_role(
    place: Place, large: Owed
) -> None:
    plan = offered(place.supervisor, large)
    assert (plan.status, plan.needs_approval) == ("offered", True)
    assert queries.charges_in_kept_plans().is_empty()
    with pytest.raises(NotPermitted, match="asked for it"):
        operations.approve_plan(place.supervisor, plan.number, DAY, NOW)
    with pytest.raises(NotPermitted):
        operations.approve_plan(place.clerk, plan.number, DAY, NOW)
    assert queries.count_plans("waiting") == len(queries.plans_listed("waiting")) == 1
    operations.approve_plan(place.coordinator, plan.number, DAY, NOW)
    plan.refresh_from_db()
    assert (plan.status, plan.approved_by_id) == ("in_force", place.coordinator.user_id)
    assert queries.charges_in_kept_plans().height == 1
    with pytest.raises(AlreadyDone):
        operations.approve_plan(place.coordinator, plan.number, DAY, NOW)


def test_the_largest_plans_are_approved_by_the_coordinator_alone(place: Place) -> None:
    owed = office.owe(place.day, "C1", 600_000)
    plan = offered(place.clerk, owed)
    with pytest.raises(NotPermitted, match="coordinator of payment services"):
        operations.approve_plan(place.supervisor, plan.number, DAY, NOW)
    operations.approve_plan(place.coordinator, plan.number, DAY, NOW)


def test_a_plan_is_not_approved_when_its_charges_changed_or_its_day_passed(
    place: Place, large: Owed
) -> None:
    plan = offered(place.clerk, large)
    late = DAY + timedelta(days=11)
    with pytest.raises(Refused, match="first instalment of plan"):
        operations.approve_plan(place.supervisor, plan.number, late, NOW)
    pay(place.center.pk, "B1", 100, "p1")
    with pytest.raises(Refused, match="Something was paid or changed"):
        operations.approve_plan(place.supervisor, plan.number, DAY, NOW)
    assert Plan.objects.get().status == "offered"


@pytest.mark.parametrize(
    ("other", "field", "sentence"),
    [
        ({"charge_ids": ()}, "charges", "at least one charge"),
        ({"charge_ids": (0,)}, "charges", "not open on this account"),
        ({"terms_code": "x"}, "terms", "offers no plan"),
        ({"instalments": 0}, "instalments", "1 to 36"),
        ({"instalments": 37}, "instalments", "1 to 36"),
    ],
)
def test_what_cannot_be_a_plan_is_refused_beside_its_field(
    place: Place, other: dict[str, object], field: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        what_if(wanted(place.owed, **{"instalments": 4, **other}), DAY)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_plan_is_neither_too_small_nor_too_large_nor_of_other_charges(place: Place) -> None:
    with pytest.raises(Invalid, match="at least"):
        what_if(wanted(office.owe(place.day, "S1", 4_999), 1), DAY)
    with pytest.raises(Invalid, match="at most"):
        what_if(wanted(office.owe(place.day, "L1", 900_001), 36), DAY)
    with pytest.raises(Invalid, match="smallest allowed"):
        what_if(wanted(office.owe(place.day, "M1", 6_000), 7), DAY)
    with pytest.raises(Invalid, match="cannot be in a plan"):
        what_if(wanted(office.owe(place.day, "F1", 90_000, kind="citation"), 3), DAY)


def test_an_account_has_one_plan_and_a_charge_is_in_one(place: Place) -> None:
    offered(place.clerk, place.owed)
    with pytest.raises(AlreadyDone, match="in force on this account"):
        operations.offer_plan(place.clerk, wanted(place.owed), DAY, NOW, "plan-2")
    with pytest.raises(AlreadyDone, match="in a plan already"):
        what_if(wanted(place.owed), DAY)


def test_a_payment_on_the_plans_charges_counts_towards_its_instalments(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    pay(place.center.pk, "A1", 25_000, "p1")
    view = queries.plan_view(plan.number, DAY)
    assert [each.paid_cents for each in view.instalments] == [20_000, 5_000, 0, 0]
    assert [each.open_cents for each in view.instalments] == [0, 15_000, 20_000, 20_000]
    assert (view.plan.paid_cents, view.plan.open_cents, view.due_cents) == (25_000, 55_000, 0)
    assert (view.next_due_on, view.next_cents) == (date(2026, 4, 2), 15_000)
    assert sum(charge.open_cents for charge in view.charges) == 55_000
    payment = Entry.objects.get(kind="payment")
    ledger.reverse_entry(
        program_actor(), payment.pk, place.day.pk, NOW, kind="returned", reason="No funds"
    )
    view = queries.plan_view(plan.number, DAY)
    assert (view.plan.paid_cents, view.due_cents) == (0, 20_000)
    assert prove(program_actor()).holds


def test_what_is_due_shows_instalments_with_the_current_charges(place: Place) -> None:
    assert queries.due_with_plan(place.owed.account_id, DAY) is None
    plan = offered(place.clerk, place.owed)
    bill_more(place.day.pk, place.owed.account_id, 7_000, DAY, "N1")
    due = queries.due_with_plan(place.owed.account_id, DAY)
    assert due is not None
    assert (due.plan_number, due.instalment_cents, due.other_cents) == (plan.number, 27_000, 0)
    assert (due.due_cents, due.plan_open_cents) == (27_000, 80_000)
    assert (due.next_due_on, due.next_cents) == (date(2026, 4, 2), 20_000)


def test_the_night_finds_a_default_and_says_why(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    pay(place.center.pk, "A1", 15_000, "p1")
    last_day = DAY + timedelta(days=10)
    assert review_plans(place.supervisor, last_day).defaulted == 0
    found = review_plans(place.supervisor, last_day + timedelta(days=1))
    assert (found.plans, found.defaulted, found.kept) == (1, 1, 0)
    plan.refresh_from_db()
    assert plan.status == "defaulted"
    assert plan.sentence == (
        "Instalment 1 of $200.00, due March 2, 2026, was not paid within 10 days of its due "
        "date: $50.00 of it is missing, $50.00 in all."
    )
    assert queries.charges_in_kept_plans().is_empty()
    days = queries.days_in_plans(place.owed.charge_ids[:1]).rows()
    assert days == [(place.owed.charge_ids[0], DAY, last_day + timedelta(days=1))]
    assert review_plans(place.supervisor, last_day + timedelta(days=2)).plans == 0


def test_a_new_bill_that_is_late_puts_the_plan_in_default(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    pay(place.center.pk, "A1", 20_000, "p1")
    bill_more(place.day.pk, place.owed.account_id, 7_000, DAY + timedelta(days=5), "N1")
    assert review_plans(place.supervisor, DAY + timedelta(days=15)).defaulted == 0
    assert review_plans(place.supervisor, DAY + timedelta(days=16)).defaulted == 1
    plan.refresh_from_db()
    assert plan.sentence.startswith("The new charge N1 of $70.00, due March 7, 2026")


def test_money_for_a_new_bill_that_settled_the_plan_first_is_no_default(place: Place) -> None:
    offered(place.clerk, place.owed)
    bill_more(place.day.pk, place.owed.account_id, 7_000, DAY + timedelta(days=5), "N1")
    pay(place.center.pk, "A1", 27_000, "p1")
    assert review_plans(place.supervisor, DAY + timedelta(days=30)).defaulted == 0


def test_terms_may_leave_new_bills_out(place: Place) -> None:
    load_terms(needs_new_bills_paid=False)
    offered(place.clerk, place.owed)
    pay(place.center.pk, "A1", 20_000, "p1")
    bill_more(place.day.pk, place.owed.account_id, 7_000, DAY, "N1")
    due = queries.due_with_plan(place.owed.account_id, DAY)
    assert due is not None
    assert (due.instalment_cents, due.other_cents) == (0, 7_000)
    assert review_plans(place.supervisor, DAY + timedelta(days=30)).defaulted == 0


def test_a_plan_that_is_paid_off_is_kept(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    pay(place.center.pk, "A1", 80_000, "p1")
    review_plans_by_night(0)
    plan.refresh_from_db()
    assert (plan.status, plan.sentence) == ("kept", "All of the plan is paid.")
    view = queries.plan_view(plan.number, DAY)
    assert (view.due_cents, view.next_due_on) == (0, None)
    assert queries.count_plans("ended") == 1


def defaulted(place: Place) -> Plan:
    plan = offered(place.clerk, place.owed)
    review_plans(place.supervisor, DAY + timedelta(days=11))
    return plan


def test_reinstatement_is_asked_for_by_one_and_approved_by_another(place: Place) -> None:
    plan = defaulted(place)
    operations.ask_reinstatement(place.supervisor, plan.number, "Was in hospital", NOW)
    with pytest.raises(AlreadyDone):
        operations.ask_reinstatement(place.clerk, plan.number, "Again", NOW)
    back = DAY + timedelta(days=20)
    with pytest.raises(NotPermitted, match="asked for it"):
        operations.approve_reinstatement(place.supervisor, plan.number, back, NOW)
    due_on = operations.approve_reinstatement(place.coordinator, plan.number, back, NOW)
    assert due_on == back + timedelta(days=14)
    view = queries.plan_view(plan.number, due_on)
    assert (view.plan.status, view.plan.sentence, view.plan.ended_on) == ("in_force", "", None)
    assert not view.reinstatements[0].is_waiting
    assert queries.days_in_plans(place.owed.charge_ids[:1]).rows() == [
        (place.owed.charge_ids[0], DAY, DAY + timedelta(days=11)),
        (place.owed.charge_ids[0], back, None),
    ]
    second_due = date(2026, 4, 2)
    assert review_plans(place.supervisor, second_due + timedelta(days=10)).defaulted == 0
    assert review_plans(place.supervisor, due_on + timedelta(days=11)).defaulted == 1
    with pytest.raises(Refused, match="reinstated 1 times"):
        operations.ask_reinstatement(place.clerk, plan.number, "Again", NOW)


def test_a_reinstatement_may_be_refused_and_asked_for_again(place: Place) -> None:
    plan = defaulted(place)
    with pytest.raises(NotFound, match="Nobody asked"):
        operations.approve_reinstatement(place.coordinator, plan.number, DAY, NOW)
    operations.ask_reinstatement(place.clerk, plan.number, "Was in hospital", NOW)
    operations.refuse_reinstatement(place.supervisor, plan.number, NOW)
    assert Plan.objects.get().status == "defaulted"
    operations.ask_reinstatement(place.clerk, plan.number, "Has a letter", NOW)
    day = DAY + timedelta(days=11)
    operations.approve_reinstatement(place.supervisor, plan.number, day, NOW)
    assert InForce.objects.count() == 1


def test_a_plan_in_default_is_not_reinstated_beside_another(place: Place) -> None:
    plan = defaulted(place)
    operations.ask_reinstatement(place.clerk, plan.number, "Was in hospital", NOW)
    other = Plan.objects.get(number=operations.offer_plan(
        place.clerk, wanted(place.owed, 2), DAY, NOW, "plan-2"))  # fmt: skip
    with pytest.raises(AlreadyDone, match=other.number):
        operations.approve_reinstatement(place.supervisor, plan.number, DAY, NOW)


def test_a_plan_is_withdrawn_with_a_reason(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    with pytest.raises(Invalid):
        operations.withdraw_plan(place.clerk, plan.number, " ", DAY)
    operations.withdraw_plan(place.clerk, plan.number, "The customer pays all", DAY)
    with pytest.raises(AlreadyDone):
        operations.withdraw_plan(place.clerk, plan.number, "Again", DAY)
    assert not InForce.objects.exists()
    assert not PlanCharge.objects.filter(is_held=True).exists()
    with pytest.raises(Refused, match="not in default"):
        operations.ask_reinstatement(place.clerk, plan.number, "x", NOW)
    assert len(queries.plans_of_account(place.owed.account_id)) == 1


def test_no_plan_is_found_under_another_number(place: Place) -> None:
    with pytest.raises(NotFound):
        operations.withdraw_plan(place.clerk, "PP-0", "x", DAY)
    with pytest.raises(NotFound):
        queries.plan_view("PP-0", DAY)


def test_only_those_with_the_role_work_on_plans(place: Place) -> None:
    cashier = office.make_actor("casey", Role.CASHIER)
    with pytest.raises(NotPermitted):
        offered(cashier, place.owed)
    with pytest.raises(NotPermitted):
        review_plans(cashier, DAY)


def test_the_database_holds_what_was_agreed(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Instalment.objects.filter(plan=plan, number=1).update(cents=1)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        PlanCharge.objects.filter(plan=plan).update(cents=1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="its charges for"), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(total_cents=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(approved_by_id=place.clerk.user_id)


def test_terms_are_loaded_twice_without_harm_and_named_charge_kinds_exist() -> None:
    terms: Terms = load_terms()
    load_terms()
    assert PlanTerms.objects.count() == 1
    assert terms_on(DAY) == [terms]
    assert terms_on(date(2019, 12, 31)) == []
    with pytest.raises(NotFound, match="charge kind gas"):
        load_terms(charge_kinds=("gas",))
    load_terms(ends_on=DAY, approvals=(Approval(1, ("clerk",)),))
    assert terms_on(DAY) == []


def test_the_signature_page_is_tagged_and_names_all_amounts(place: Place) -> None:
    plan = offered(place.clerk, place.owed)
    view = queries.plan_view(plan.number, DAY)
    data = documents.plan_data(view, "Maria Kowalski")
    assert data["total"] == "$800.00"
    assert [each["amount"] for each in data["instalments"]] == ["$200.00"] * 4
    assert documents.plan_pdf(view, "Maria Kowalski").startswith(b"%PDF-")
