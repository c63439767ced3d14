"""A random day at the counter: whatever is done in whatever order, the books prove."""

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.cashiering.closing import in_tills
from chamberlain.cashiering.days import day_of_center
from chamberlain.cashiering.models import Receipt, Tender, TillSession
from chamberlain.cashiering.operations import (
    TenderLine,
    ask_for_void,
    close_center_day,
    close_till,
    make_drop,
    open_till,
    take_payment,
    verify_till,
    void_receipt,
)
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import Refused
from chamberlain.ledger import chart, proof
from chamberlain.ledger import queries as ledger
from chamberlain.ledger.models import Entry, Transfer
from chamberlain.reconciliation.operations import make_deposit
from chamberlain.reconciliation.sign_off import figures
from tests.cashiering.counter import FLOAT, make_counter
from tests.office import NOW, Owed, owe

pytestmark = pytest.mark.django_db

_STEP = st.one_of(
    st.tuples(
        st.just("pay"),
        st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4000)), max_size=3),
        st.lists(
            st.tuples(st.sampled_from(Tender.Kind.values), st.integers(1, 9000)),
            min_size=1,
            max_size=3,
        ),
        st.booleans(),
        st.integers(0, 3000),
    ),
    st.tuples(st.just("void"), st.integers(0, 9)),
    st.tuples(st.just("drop"), st.integers(1, 20_000)),
    st.tuples(st.just("reopen"), st.integers(0, 3)),
)


class Office:
    """The counter of one random day; what is refused changes nothing and the day goes on."""

    def __init__(self) -> None:
        self.counter = make_counter()
        self.session_id = self.counter.session_id
        self.owed: list[Owed] = [owe(self.counter.day, f"A{n}", 3000, 5000) for n in range(3)]
        self.keys = 0

    def do(self, step: tuple[object, ...]) -> None:
        """One thing that happens; if refused, no entry was posted."""
        name, *arguments = step
        before = Entry.objects.count()
        try:
            with transaction.atomic():
                getattr(self, str(name))(*arguments)
        except Refused:
            assert Entry.objects.count() == before

    def pay(self, items, tenders, keep: bool, on_account: int) -> None:
        charges = [charge for owed in self.owed for charge in owed.charge_ids]
        self.keys += 1
        take_payment(
            self.counter.cashier,
            self.session_id,
            self.owed[0].account_id,
            [(charges[n], cents) for n, cents in items],
            [TenderLine(kind, cents, "" if kind == "cash" else "7") for kind, cents in tenders],
            NOW,
            f"random-{self.keys}",
            on_account_cents=on_account,
            keep_as_credit=keep,
        )

    def void(self, nth: int) -> None:
        receipt_ids = list(Receipt.objects.order_by("pk").values_list("pk", flat=True))
        if receipt_ids:
            receipt_id = receipt_ids[nth % len(receipt_ids)]
            ask_for_void(self.counter.cashier, receipt_id, "random", NOW)
            void_receipt(self.counter.supervisor, receipt_id, NOW)

    def drop(self, cents: int) -> None:
        make_drop(self.counter.supervisor, self.session_id, cents, "B", NOW)

    def reopen(self, missing: int) -> None:
        self.close(self.session_id, missing)
        self.session_id = open_till(self.counter.cashier, self.counter.till_ids[0], FLOAT, NOW)

    def close(self, session_id: int, missing: int) -> None:
        """Counts what should be there, less or more some."""
        session = TillSession.objects.get(pk=session_id)
        found = max(session.drawer_cents + (3 - missing) * 500 - 1000, 0)
        close_till(self.counter.cashier, session_id, {1: found}, 0, NOW)
        verify_till(self.counter.supervisor, session_id, NOW)

    def end(self, missing: int) -> None:
        """The evening: all closed and verified, all bagged, the day sealed."""
        self.close(self.session_id, missing)
        close_till(self.counter.second_cashier, self.counter.second_session_id, FLOAT, 0, NOW)
        verify_till(self.counter.supervisor, self.counter.second_session_id, NOW)
        for kind, cents in in_tills(self.counter.day).items():
            assert cents >= 0
            if cents:
                make_deposit(self.counter.supervisor, self.counter.day.pk, kind, "B", NOW)
        close_center_day(self.counter.supervisor, self.counter.day.pk, NOW)


@settings(max_examples=25, deadline=None)
@given(st.lists(_STEP, max_size=14), st.integers(0, 3))
def test_a_random_day_ends_with_books_that_prove_and_empty_tills(steps, missing):
    with transaction.atomic():
        office = Office()
        for step in steps:
            office.do(step)
        office.end(missing)
        assert proof.prove(program_actor()).differences == ()
        assert set(in_tills(office.counter.day).values()) == {0}
        _check_totals(office)
        chart.forget()
        transaction.set_rollback(True)


def _check_totals(office: Office) -> None:
    day = day_of_center(office.counter.day.pk)
    found = figures(office.counter.day.pk)
    valid = Receipt.objects.filter(void_entry=None)
    assert day.receipts_cents == sum(valid.values_list("total_cents", flat=True))
    assert sum(amount.cents for amount in day.by_kind) == day.receipts_cents
    fund = Transfer.objects.filter(credit__code=chart.change_fund_code("CH"))
    assert found.deposit_difference_cents == sum(fund.values_list("cents", flat=True))
    balances = [ledger.balance(owed.account_id) for owed in office.owed]
    raised = 3 * 8000
    assert raised - sum(b.owed_cents - b.credit_cents for b in balances) == day.receipts_cents
