"""Deposits: asked for by rule, held and never earned, given back with interest, never lost."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chamberlain.billing.adjusting import operations as adjusting
from chamberlain.billing.adjusting.reasons import Reason, load_reasons
from chamberlain.billing.approving import Approval
from chamberlain.billing.deposits import operations, queries, requiring
from chamberlain.billing.deposits.models import Deposit, DepositMovement
from chamberlain.billing.deposits.terms import load_deposit_terms, terms_on
from chamberlain.billing.finals import carrying
from chamberlain.billing.finals import queries as final_queries
from chamberlain.billing.finals.operations import make_final_bill
from chamberlain.billing.finals.reading import take_final_read
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay, LedgerAccount
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.ledger.statements import general_ledger
from chamberlain.registry import operations as registry
from chamberlain.registry.models import Property, PropertyType
from chamberlain.registry.ownership import record_ownership
from chamberlain.registry.queries import account_summary
from tests import office
from tests.billing.deposit_office import (
    ASKED,
    asked_of,
    at,
    deposit_home,
    held,
    next_day,
    pay,
    pay_bills,
)
from tests.billing.final_office import LEFT, Home, asked, register_after
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Home:
    return deposit_home()


def liability() -> int:
    """What the books say is owed back on deposits, asked for or held."""
    return next(row.balance_cents for row in general_ledger() if row.code == chart.DEPOSITS)


def next_id(place: Home) -> int:
    return account_summary(place.next_number).account_id


def final_bill(place: Home, next_account: str = "") -> int:
    """Maria moves out, is read and billed; what her deposit gave in cents."""
    move_out_id = asked(place, next_account=next_account)
    order = final_queries.final_reads(move_out_id)[0].order_id
    take_final_read(place.clerk, order, LEFT, register_after(9), LEFT)
    day = BusinessDay.objects.get(center=place.office.center, closed_at=None)
    return make_final_bill(place.clerk, move_out_id, day.pk, NOW).deposit_cents


def test_a_deposit_is_asked_for_by_the_citys_rule(place: Home) -> None:
    before = balance(place.account_id).owed_cents
    deposit = asked_of(place)
    assert deposit.basis == (
        "Single-family house with 2 dwelling units, held by somebody who does not own it, "
        "$75.00 for each unit"
    )
    assert balance(place.account_id).owed_cents == before + ASKED
    [charge] = [c for c in open_charges([place.account_id]) if c.kind == "deposit"]
    assert (charge.open_cents, charge.document) == (ASKED, deposit.number)
    assert (charge.due_on - DAY).days == 30
    assert held(deposit) == (0, ASKED)
    assert asked_of(place) == deposit
    with pytest.raises(AlreadyDone, match=deposit.number):
        asked_of(place, "again")
    with pytest.raises(AlreadyDone, match="sent before"):
        operations.ask_deposit(place.clerk, place.next_number, place.office.day.pk, NOW, "ask")
    assert prove(program_actor()).holds


def test_what_is_paid_is_held_and_not_earned(place: Home) -> None:
    deposit = asked_of(place)
    revenue = {row.code: row.balance_cents for row in general_ledger() if row.kind == "revenue"}
    pay(place, deposit, 10_000)
    assert held(deposit) == (10_000, 5_000)
    assert liability() == ASKED
    after = {row.code: row.balance_cents for row in general_ledger() if row.kind == "revenue"}
    assert after == revenue
    row = queries.deposit(deposit.number)
    assert (row.held_cents, row.unpaid_cents, row.is_open) == (10_000, 5_000, True)


def test_the_rule_asks_nothing_of_an_owner_and_of_exempt_property(place: Home) -> None:
    summary = account_summary(place.number)
    assert summary.property_id is not None
    assert summary.customer_id is not None
    record_ownership(program_actor(), summary.property_id, summary.customer_id, date(2020, 1, 1))
    assert requiring.required_of(place.account_id, DAY).cents == 0
    with pytest.raises(Refused, match="asks no deposit of account"):
        asked_of(place)
    with pytest.raises(Refused, match="nobody holds the account for a property"):
        operations.ask_deposit(place.clerk, place.next_number, place.office.day.pk, NOW, "next")
    with pytest.raises(NotFound):
        operations.ask_deposit(place.clerk, "NONE", place.office.day.pk, NOW, "none")


def test_who_moves_in_later_is_asked_before_that_day(place: Home) -> None:
    summary = account_summary(place.number)
    assert summary.customer_id is not None
    assert summary.property_id is not None
    registry.open_account(
        program_actor(), summary.customer_id, summary.property_id, date(2026, 5, 1), "SOON-1"
    )
    number = operations.ask_deposit(place.clerk, "SOON-1", place.office.day.pk, NOW, "soon")
    assert queries.deposit(number).unpaid_cents == ASKED


def test_what_the_rule_does_not_name_pays_nothing(place: Home) -> None:
    PropertyType.objects.create(code="municipal", name="City hall")
    Property.objects.update(property_type="municipal")
    required = requiring.required_of(place.account_id, DAY)
    assert (required.cents, "City hall" in required.basis) == (0, True)
    assert requiring.count_missing(DAY, date(2019, 1, 1)) == 0


def test_deposits_are_listed_by_state_with_what_was_paid(place: Home) -> None:
    deposit = asked_of(place)
    paid = pay(place, deposit, 6_000)
    found = queries.in_all()
    assert (found.counts["unpaid"], found.held_cents, found.unpaid_cents) == (1, 6_000, 9_000)
    assert [each.number for each in queries.deposits("unpaid")] == [deposit.number]
    assert found.counts["held"] == 0
    [row] = queries.payments(deposit.number)
    assert (row.cents, row.entry_id, row.on) == (6_000, paid.payment_id, DAY)
    operations.cancel_deposit(place.clerk, deposit.number, "less", place.office.day.pk, NOW)
    assert len(queries.payments(deposit.number)) == 1
    found = queries.in_all()
    assert (found.counts["held"], found.held_cents, found.unpaid_cents) == (1, 6_000, 0)
    assert (
        queries.accrued(deposit.pk, date(2027, 3, 2))
        == (6_000 * (91 * 5_000 + 274 * 20_000) + 182_500_000) // 365_000_000
    )
    assert [each.number for each in queries.deposits_of_account(place.account_id)] == [
        deposit.number
    ]
    final_bill(place)
    assert [each.label for each in queries.movements(deposit.number)][
        -1
    ] == "Used for what was owed"
    assert queries.deposits("closed")[0].number == deposit.number


def test_accounts_that_should_have_a_deposit_are_listed(place: Home) -> None:
    [missing] = requiring.missing_deposits(DAY, date(2019, 1, 1))
    assert (missing.account, missing.cents) == (place.number, ASKED)
    assert missing.holder == "Maria Kowalski"
    assert requiring.count_missing(DAY, date(2019, 1, 1)) == 1
    assert requiring.count_missing(DAY, date(2021, 1, 1)) == 0
    deposit = asked_of(place)
    assert requiring.missing_deposits(DAY, date(2019, 1, 1)) == []
    operations.cancel_deposit(
        place.clerk, deposit.number, "They will not pay", place.office.day.pk, NOW
    )
    [again] = requiring.missing_deposits(DAY, date(2019, 1, 1))
    assert again.account == place.number


def test_a_change_of_owner_leaves_the_deposit_with_its_holder(place: Home) -> None:
    deposit = asked_of(place)
    pay(place, deposit, ASKED)
    summary = account_summary(place.number)
    assert summary.property_id is not None
    buyer = registry.register_customer(program_actor(), "person", "Ines Ruiz")
    record_ownership(program_actor(), summary.property_id, buyer, DAY)
    assert queries.deposit(deposit.number).account == place.number
    assert held(deposit) == (ASKED, 0)


def test_what_is_not_paid_may_be_taken_back(place: Home) -> None:
    deposit = asked_of(place)
    day = place.office.day.pk
    with pytest.raises(Invalid, match="Say why"):
        operations.cancel_deposit(place.clerk, deposit.number, " ", day, NOW)
    pay(place, deposit, 4_000)
    assert operations.cancel_deposit(place.clerk, deposit.number, "owner", day, NOW) == 11_000
    assert held(deposit) == (4_000, 0)
    assert queries.deposit(deposit.number).is_open
    with pytest.raises(Refused, match="is paid"):
        operations.cancel_deposit(place.clerk, deposit.number, "again", day, NOW)
    assert prove(program_actor()).holds


def test_a_deposit_that_nothing_was_paid_on_is_closed_when_taken_back(place: Home) -> None:
    deposit = asked_of(place)
    day = place.office.day.pk
    operations.cancel_deposit(place.clerk, deposit.number, "asked by mistake", day, NOW)
    assert not queries.deposit(deposit.number).is_open
    with pytest.raises(AlreadyDone, match="was closed on March 2"):
        operations.cancel_deposit(place.clerk, deposit.number, "again", day, NOW)
    with pytest.raises(NotFound, match="no deposit DEP-9"):
        operations.cancel_deposit(place.clerk, "DEP-9", "x", day, NOW)
    assert asked_of(place, "second") != deposit


def test_a_deposit_is_released_as_credit_after_its_term(place: Home) -> None:
    deposit = asked_of(place)
    day = place.office.day
    with pytest.raises(Refused, match="not paid in full"):
        operations.release_deposit(place.supervisor, deposit.number, day.pk, NOW)
    pay(place, deposit, ASKED)
    pay_bills(place)
    with pytest.raises(Refused, match="term ends on March 2, 2027"):
        operations.release_deposit(place.supervisor, deposit.number, day.pk, NOW)
    last = next_day(place, date(2027, 3, 1))
    assert operations.release_due(place.supervisor, last.pk, at(last.day)) == {}
    due = next_day(place, date(2027, 3, 2))
    released = operations.release_due(place.supervisor, due.pk, at(due.day))
    interest = (ASKED * (91 * 5_000 + 274 * 20_000) + 182_500_000) // 365_000_000
    assert released == {deposit.pk: ASKED + interest}
    assert balance(place.account_id).credit_cents == ASKED + interest
    assert operations.release_due(place.supervisor, due.pk, at(due.day)) == {}
    assert liability() == 0
    row = queries.deposit(deposit.number)
    assert (row.is_open, row.closed_on, row.held_cents) == (False, due.day, 0)
    assert [each.kind for each in queries.movements(deposit.number)] == [
        "asked", "interest", "released",
    ]  # fmt: skip
    assert prove(program_actor()).holds


def test_who_pays_late_waits_for_the_deposit(place: Home) -> None:
    deposit = asked_of(place)
    pay(place, deposit, ASKED)
    due = next_day(place, date(2027, 3, 2))
    with pytest.raises(Refused, match="paid late or is late"):
        operations.release_deposit(place.supervisor, deposit.number, due.pk, at(due.day))
    pay_bills(place)
    assert operations.release_due(place.supervisor, due.pk, at(due.day)) == {}
    assert not operations.not_yet([], due.day)


def test_one_deposit_is_released_by_the_supervisor_alone(place: Home) -> None:
    deposit = asked_of(place)
    pay(place, deposit, ASKED)
    pay_bills(place)
    due = next_day(place, date(2027, 3, 2))
    with pytest.raises(NotPermitted):
        operations.release_deposit(place.clerk, deposit.number, due.pk, at(due.day))
    supervisor = place.supervisor
    assert operations.release_deposit(supervisor, deposit.number, due.pk, at(due.day)) > ASKED
    with pytest.raises(AlreadyDone):
        operations.release_deposit(supervisor, deposit.number, due.pk, at(due.day))
    with pytest.raises(DayClosed):
        operations.release_due(supervisor, place.office.day.pk, NOW)


def test_the_final_bill_takes_the_deposit(place: Home) -> None:
    pay_bills(place)
    deposit = asked_of(place)
    pay(place, deposit, 6_000)
    final = 2 * 9 * 469
    assert final_bill(place) == 6_000
    assert balance(place.account_id).owed_cents == final - 6_000
    assert balance(place.account_id).credit_cents == 0
    assert liability() == 0
    assert [each.kind for each in queries.movements(deposit.number)] == [
        "asked", "canceled", "applied",
    ]  # fmt: skip
    assert prove(program_actor()).holds


def test_what_the_final_bill_does_not_take_becomes_credit(place: Home) -> None:
    pay_bills(place)
    deposit = asked_of(place)
    pay(place, deposit, ASKED)
    assert final_bill(place) == ASKED
    after = balance(place.account_id)
    assert (after.owed_cents, after.credit_cents) == (0, ASKED - 2 * 9 * 469)
    assert queries.deposit(deposit.number).closed_on == DAY


def test_transfer_of_service_carries_the_deposit_on(place: Home) -> None:
    pay_bills(place)
    deposit = asked_of(place)
    pay(place, deposit, ASKED)
    day = next_day(place, date(2026, 3, 20))
    interest = (ASKED * 18 * 5_000 + 182_500_000) // 365_000_000
    assert final_bill(place, place.next_number) == ASKED + interest
    made = Deposit.objects.get(carried_from=deposit)
    assert (made.account_id, made.whole_since) == (next_id(place), DAY)
    assert held(made) == (ASKED + interest, 0)
    assert held(deposit) == (0, 0)
    assert queries.deposit(made.number).carried_from == deposit.number
    assert balance(place.account_id).owed_cents == 2 * 9 * 469
    assert liability() == ASKED + interest
    assert prove(program_actor()).holds
    assert day.day == date(2026, 3, 20)
    due = next_day(place, date(2027, 3, 2))
    assert made.pk in operations.release_due(place.supervisor, due.pk, at(due.day))
    assert balance(next_id(place)).credit_cents > ASKED
    assert prove(program_actor()).holds


def test_a_deposit_that_nothing_was_paid_on_ends_with_its_account(place: Home) -> None:
    deposit = asked_of(place)
    assert final_bill(place, place.next_number) == 0
    assert not Deposit.objects.filter(carried_from=deposit).exists()
    assert not queries.deposit(deposit.number).is_open
    assert prove(program_actor()).holds


def test_a_next_account_with_a_deposit_of_its_own_takes_no_second(place: Home) -> None:
    pay_bills(place)
    first = asked_of(place)
    pay(place, first, ASKED)
    summary = account_summary(place.number)
    assert summary.customer_id is not None
    assert summary.property_id is not None
    registry.open_account(program_actor(), summary.customer_id, summary.property_id, DAY, "NEXT-2")
    operations.ask_deposit(place.clerk, "NEXT-2", place.office.day.pk, NOW, "next")
    assert final_bill(place, "NEXT-2") == ASKED
    assert balance(place.account_id).credit_cents == ASKED - 2 * 9 * 469
    assert not Deposit.objects.filter(carried_from=first).exists()


def test_a_payment_that_is_taken_back_after_the_release_is_owed_again(place: Home) -> None:
    pay_bills(place)
    deposit = asked_of(place)
    paid = pay(place, deposit, ASKED)
    final_bill(place)
    reverse_entry(
        program_actor(), paid.payment_id, place.office.day.pk, NOW, kind="return", reason="bounced"
    )
    assert held(deposit) == (-ASKED, ASKED)
    assert balance(place.account_id).owed_cents == ASKED
    assert prove(program_actor()).holds


def test_the_office_does_not_give_a_deposit_away(place: Home) -> None:
    deposit = asked_of(place)
    pay_bills(place)
    load_reasons(
        program_actor(),
        [
            Reason(
                code="hardship", kind="write_off", name="Hardship", starts_on=date(2010, 1, 1),
                ends_on=None, charge_kinds=(), largest_credit_cents=0, needs_nothing_owed=False,
                approvals=(Approval(500_000, ("accounts_supervisor",)),), source="test",
                is_verified=False,
            )
        ],
    )  # fmt: skip
    wanted = adjusting.Wanted(place.number, "hardship", 5_000, "please")
    with pytest.raises(Refused):
        adjusting.ask_adjustment(place.clerk, wanted, DAY, NOW, "off")
    assert held(deposit) == (0, ASKED)


def test_a_deposit_is_not_carried_as_a_debt(place: Home) -> None:
    pay_bills(place)
    deposit = asked_of(place)
    paid = pay(place, deposit, ASKED)
    move_out_id = asked(place, next_account=place.next_number)
    order = final_queries.final_reads(move_out_id)[0].order_id
    take_final_read(place.clerk, order, LEFT, register_after(0), LEFT)
    make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    reverse_entry(
        program_actor(), paid.payment_id, place.office.day.pk, NOW, kind="return", reason="bounced"
    )
    with pytest.raises(Refused, match="nothing to carry"):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)


def test_the_database_keeps_deposits_whoever_writes(place: Home) -> None:
    deposit = asked_of(place)
    for refused in (
        lambda: DepositMovement.objects.all().delete(),
        lambda: DepositMovement.objects.update(cents=1),
        lambda: Deposit.objects.update(closed_on=DAY),
        lambda: Deposit.objects.update(account_id=next_id(place)),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM deposits_deposit")
    assert held(deposit) == (0, ASKED)


def test_the_proof_names_money_that_no_deposit_knows(place: Home) -> None:
    deposit = asked_of(place)
    entry_id = place.office.bills[0].entry_id
    assert entry_id is not None
    DepositMovement.objects.create(
        deposit=deposit,
        entry_id=entry_id,
        kind="interest",
        on=DAY,
        cents=5,
    )
    proof = prove(program_actor())
    assert any("5 in the deposits" in each for each in proof.differences)


def test_only_who_may_asks_and_terms_are_loaded_once(place: Home) -> None:
    auditor = office.make_actor("alex", Role.AUDITOR)
    with pytest.raises(NotPermitted):
        operations.ask_deposit(auditor, place.number, place.office.day.pk, NOW, "x")
    with pytest.raises(NotFound, match="terms of deposits"):
        terms_on(date(2000, 1, 1))
    load_deposit_terms(program_actor(), [], [], "Deposit", 16)
    assert LedgerAccount.objects.filter(code=chart.DEPOSITS).count() == 1


class MoneyIsConserved(TestCase):
    """Whatever is paid, taken back and given back in whatever order: the books and the deposits
    agree, and what came in went out again but for the interest."""

    @settings(max_examples=15)
    @given(
        st.lists(st.integers(1, 6_000), max_size=4),
        st.booleans(),
        st.sampled_from(["apply", "carry", "keep"]),
    )
    def test_deposit_money_is_conserved(
        self, payments: list[int], takes_back: bool, ending: str
    ) -> None:
        chart.forget()
        place = deposit_home()
        pay_bills(place)
        deposit = asked_of(place)
        paid = 0
        for number, wanted in enumerate(payments):
            cents = min(wanted, ASKED - paid)
            if cents:
                pay(place, deposit, cents, f"p{number}")
                paid += cents
        if takes_back and paid < ASKED:
            operations.cancel_deposit(place.clerk, deposit.number, "less", place.office.day.pk, NOW)
        if ending != "keep":
            final_bill(place, place.next_number if ending == "carry" else "")
        moved = DepositMovement.objects.filter(kind__in=["applied", "released"])
        out = -sum(moved.values_list("cents", flat=True))
        still = sum(held(each)[0] for each in Deposit.objects.all())
        assert out + still == paid
        unpaid = sum(held(each)[1] for each in Deposit.objects.all())
        assert liability() == still + unpaid
        assert prove(program_actor()).holds
