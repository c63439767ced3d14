"""Closing blind, over and short, verifying, and the center's day."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.cashiering import queries
from chamberlain.cashiering.counting import OverShort, over_short
from chamberlain.cashiering.days import day_of_center, days_of_center
from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.cashiering.operations import (
    DoesNotAddUp,
    close_center_day,
    close_till,
    verify_till,
)
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart, proof
from chamberlain.ledger.posting import Leg, NewEntry, post
from chamberlain.reconciliation.operations import make_deposit
from tests.cashiering.counter import FLOAT, Counter, cash, check, make_counter, pay
from tests.cashiering.test_payments import in_account
from tests.office import NOW, make_actor, make_center, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return make_counter()


def take(counter: Counter, *tenders: object) -> None:
    owed = owe(counter.day, f"T{Receipt.objects.count()}")
    pay(counter, owed.account_id, [], *tenders, keep_as_credit=True)


def close_all(counter: Counter, **first: object) -> None:
    """Both tills counted and verified; `first` says what was counted in the first."""
    counted = {"counts": FLOAT, "check_cents": 0} | first
    close_till(counter.cashier, counter.session_id, now=NOW, **counted)
    close_till(counter.second_cashier, counter.second_session_id, FLOAT, 0, NOW)
    for session_id in (counter.session_id, counter.second_session_id):
        verify_till(counter.supervisor, session_id, NOW)


@pytest.mark.parametrize(
    ("expected", "counted", "takings", "found"),
    [
        (35000, 35000, 25000, OverShort(0, 0, 0)),
        (35000, 34500, 25000, OverShort(-500, -500, 0)),
        (10200, 9500, 200, OverShort(-700, -200, 500)),
        (10200, 10300, 200, OverShort(100, 100, 0)),
    ],
)
def test_the_examples_of_over_and_short(expected, counted, takings, found):
    assert over_short(expected, counted, takings) == found


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_over_and_short_never_take_more_from_the_takings_than_there_is(expected, counted, takings):
    found = over_short(expected, counted, takings)
    assert found.cents == counted - expected
    assert found.takings_cents - found.fund_short_cents == found.cents
    assert found.fund_short_cents >= 0
    assert takings + found.takings_cents >= 0


def test_a_drawer_that_agrees_posts_nothing(counter):
    take(counter, cash(500), check(700))
    closed = close_till(counter.cashier, counter.session_id, {2000: 5, 500: 1}, 700, NOW)
    assert closed.over_short_cents == 0
    session = queries.session(counter.session_id)
    assert (session.state, session.over_short_cents, session.closed_by) == ("closed", 0, "Ana-Ch")
    assert TillSession.objects.get(pk=counter.session_id).closing_entry is None


@pytest.mark.parametrize(
    ("counts", "checks", "orders", "accounts"),
    [
        ({2000: 5, 500: 1, 100: 1}, 700, 900, {"cash": 600, "over": -100}),
        ({2000: 5, 100: 4}, 700, 900, {"cash": 400, "over": 100}),
        ({2000: 4}, 700, 900, {"cash": 0, "fund": -2000, "over": 2500}),
        ({2000: 5, 500: 1}, 600, 900, {"check": 600, "over": 100}),
        ({2000: 5, 500: 1}, 700, 950, {"money_order": 950, "over": -50}),
    ],
)
def test_over_and_short_are_posted(counter, counts, checks, orders, accounts):
    from chamberlain.cashiering.tendering import TenderLine

    take(counter, cash(500), check(700), TenderLine("money_order", 900, "5"))
    closed = close_till(counter.cashier, counter.session_id, counts, checks, NOW, orders)
    assert closed.over_short_cents == -accounts["over"]
    codes = {
        "fund": chart.change_fund_code("CH"),
        "over": chart.over_short_code("CH"),
        **{kind: chart.till_code("CH", kind) for kind in ("cash", "check", "money_order")},
    }
    expected = {"cash": 500, "check": 700, "money_order": 900, "fund": 0} | accounts
    assert {name: in_account(codes[name]) for name in expected} == expected
    assert proof.prove(program_actor()).holds


def test_closing_is_refused_when_it_cannot_be(counter):
    with pytest.raises(NotPermitted, match="opened by Ana-Ch"):
        close_till(counter.second_cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(NotPermitted):
        close_till(
            make_actor("cleo", Role.CLERK, counter.center), counter.session_id, FLOAT, 0, NOW
        )
    with pytest.raises(NotPermitted):
        close_till(
            make_actor("s", Role.CENTER_SUPERVISOR, make_center("WE")),
            counter.session_id,
            FLOAT,
            0,
            NOW,
        )
    with pytest.raises(Invalid, match="total of checks"):
        close_till(counter.cashier, counter.session_id, FLOAT, -1, NOW)
    with pytest.raises(Invalid, match="total of money orders"):
        close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW, 1.5)
    with pytest.raises(NotFound):
        close_till(counter.cashier, 10**9, FLOAT, 0, NOW)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(AlreadyDone, match="closed already"):
        close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)


def test_a_drawer_that_the_ledger_knows_otherwise_is_not_closed(counter):
    TillSession.objects.filter(pk=counter.session_id).update(drawer_cents=10_001)
    with pytest.raises(DoesNotAddUp, match=r"\$100.01 in the drawer, the ledger \$100.00"):
        close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)


def test_a_supervisor_closes_for_a_cashier_who_left_and_another_verifies(counter):
    close_till(counter.supervisor, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(NotPermitted, match="another person"):
        verify_till(counter.supervisor, counter.session_id, NOW)
    verify_till(counter.second_supervisor, counter.session_id, NOW)
    assert queries.session(counter.session_id).verified_by == "Tom-Ch"


def test_verifying_is_refused_when_it_cannot_be(counter):
    with pytest.raises(Refused, match="still open"):
        verify_till(counter.supervisor, counter.session_id, NOW)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(NotPermitted):
        verify_till(counter.cashier, counter.session_id, NOW)
    verify_till(counter.supervisor, counter.session_id, NOW)
    with pytest.raises(AlreadyDone, match="verified before"):
        verify_till(counter.supervisor, counter.session_id, NOW)
    with pytest.raises(NotFound):
        verify_till(counter.supervisor, 10**9, NOW)


def test_the_database_refuses_a_cashier_who_verifies_the_own_till(counter):
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        TillSession.objects.filter(pk=counter.session_id).update(
            verified_by_id=counter.cashier.user_id, verified_at=NOW
        )


def test_the_database_refuses_another_count_of_a_closed_till(counter):
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        TillSession.objects.filter(pk=counter.session_id).update(counted_cash_cents=1)


def test_a_day_closes_when_its_tills_are_verified_and_its_money_is_bagged(counter):
    take(counter, cash(500), check(700))
    with pytest.raises(Refused, match="Till CH-1 of Ana-Ch is still open"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)
    close_till(counter.cashier, counter.session_id, {2000: 5, 500: 1}, 700, NOW)
    close_till(counter.second_cashier, counter.second_session_id, FLOAT, 0, NOW)
    with pytest.raises(Refused, match="is not verified yet"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)
    for session_id in (counter.session_id, counter.second_session_id):
        verify_till(counter.supervisor, session_id, NOW)
    with pytest.raises(Refused, match=r"\$5.00 \(cash\) still lies in the tills"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)
    make_deposit(counter.supervisor, counter.day.pk, "cash", "B1", NOW)
    with pytest.raises(Refused, match=r"\$7.00 \(check\)"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)
    make_deposit(counter.supervisor, counter.day.pk, "check", "B2", NOW)
    digest = close_center_day(counter.supervisor, counter.day.pk, NOW)
    assert digest.entries > 0
    with pytest.raises(AlreadyDone, match="closed already"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)
    assert proof.prove(program_actor()).differences == ()
    [row] = days_of_center(counter.center.pk)
    assert (row.receipts_cents, row.closed_at) == (1200, NOW)


def test_a_day_is_closed_by_its_supervisor_only(counter):
    for actor in (
        counter.cashier,
        make_actor("s", Role.CENTER_SUPERVISOR, make_center("WE")),
    ):
        with pytest.raises(NotPermitted):
            close_center_day(actor, counter.day.pk, NOW)
    with pytest.raises(NotFound):
        close_center_day(counter.supervisor, 10**9, NOW)


def test_a_day_whose_receipts_the_ledger_knows_otherwise_is_not_closed(counter):
    close_all(counter)
    accounts = [chart.ledger_account_id(chart.till_code("CH", k)) for k in ("cash", "check")]
    for kind, leg in (("payment", Leg(*accounts, 500)), ("forged", Leg(*reversed(accounts), 500))):
        post(NewEntry(counter.day.pk, kind, program_actor().user_id, NOW, "X", [leg]))
    with pytest.raises(DoesNotAddUp, match=r"say \$0.00 in cash, the ledger \$5.00"):
        close_center_day(counter.supervisor, counter.day.pk, NOW)


def test_the_day_of_a_center_shows_tills_tenders_and_kinds_but_nothing_before_the_count(counter):
    owed = owe(counter.day, "A1", 400)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 400)], cash(1000))
    take(counter, check(700))
    assert day_of_center(counter.day.pk).in_tills == ()
    close_all(counter, counts={2000: 5, 100: 4, 5: 1}, check_cents=700)
    day = day_of_center(counter.day.pk)
    assert [(a.code, a.pieces, a.cents) for a in day.by_tender] == [
        ("cash", 1, 400),
        ("check", 1, 700),
    ]
    assert [(a.name, a.cents) for a in day.by_kind] == [("Credit kept", 700), ("Water", 400)]
    assert [(a.code, a.cents) for a in day.in_tills] == [("cash", 405), ("check", 700)]
    assert (day.over_short_cents, day.receipts_cents) == (5, 1100)
    assert [s.state for s in day.sessions] == ["verified", "verified"]
    with pytest.raises(NotFound):
        day_of_center(10**9)
