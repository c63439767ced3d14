"""Opening tills and taking cash out of full ones."""

import pytest

from chamberlain.cashiering import queries
from chamberlain.cashiering.operations import close_till, ensure_till, make_drop, open_till
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import operations
from chamberlain.ledger.posting import DayClosed
from tests.cashiering.counter import (
    CASH_LIMIT,
    FLOAT,
    FLOAT_CENTS,
    Counter,
    cash,
    make_counter,
    pay,
)
from tests.office import NOW, make_actor, make_center, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return make_counter()


def test_a_till_opens_with_a_float_counted_by_denomination(counter):
    session = queries.session(counter.session_id)
    assert (session.till, session.state, session.float_cents) == ("CH-1", "open", FLOAT_CENTS)
    [row] = queries.counts(counter.session_id, "opening")
    assert (row.denomination_cents, row.pieces, row.cents) == (2000, 5, 10_000)
    assert session.expected_cash_cents is None
    assert session.over_short_cents is None


def test_the_board_shows_who_is_at_which_till(counter):
    spare = ensure_till(counter.center, "CH-3", printer_address="printer:9100")
    board = queries.till_board(counter.center.pk)
    assert [(row.till, row.session and row.session.cashier) for row in board] == [
        ("CH-1", "Ana-Ch"),
        ("CH-2", "Ben-Ch"),
        ("CH-3", None),
    ]
    assert board[2].has_printer
    assert board[2].till_id == spare
    assert queries.open_session_of(counter.cashier.user_id) == board[0].session
    assert queries.open_session_of(counter.supervisor.user_id) is None


def test_a_till_that_is_open_is_refused_to_another_cashier(counter):
    other = make_actor("carl", Role.CASHIER, counter.center)
    with pytest.raises(AlreadyDone, match="Till CH-1 is open already, by Ana-Ch"):
        open_till(other, counter.till_ids[0], FLOAT, NOW)
    assert queries.open_session_of(other.user_id) is None


def test_a_cashier_works_at_one_till_at_a_time(counter):
    spare = ensure_till(counter.center, "CH-3")
    with pytest.raises(AlreadyDone, match="Ana-Ch has till CH-1 open"):
        open_till(counter.cashier, spare, FLOAT, NOW)


def test_a_till_opens_only_on_an_open_day(counter):
    other = make_actor("carl", Role.CASHIER, counter.center)
    spare = ensure_till(counter.center, "CH-3")
    operations.seal_business_day(counter.supervisor, counter.day.pk, NOW)
    with pytest.raises(DayClosed, match="Center CH has no open business day"):
        open_till(other, spare, FLOAT, NOW)


def test_a_clerk_or_a_cashier_of_another_center_opens_no_till(counter):
    spare = ensure_till(counter.center, "CH-3")
    for actor in (
        make_actor("cleo", Role.CLERK, counter.center),
        make_actor("stan", Role.CASHIER, make_center("WE")),
    ):
        with pytest.raises(NotPermitted):
            open_till(actor, spare, FLOAT, NOW)


def test_a_till_that_does_not_exist_is_refused(counter):
    with pytest.raises(NotFound, match="no such till"):
        open_till(counter.cashier, 10**9, FLOAT, NOW)
    with pytest.raises(NotFound, match="no till session"):
        queries.session(10**9)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({300: 1}, "no coin or note of \\$3.00"),
        ({100: -1}, "zero or more"),
        ({100: 1.5}, "zero or more"),
        ({100: True}, "zero or more"),
        ({100: 1_000_001}, "do not fit a drawer"),
    ],
)
def test_a_count_that_cannot_be_is_refused(counter, counts, sentence):
    other = make_actor("carl", Role.CASHIER, counter.center)
    with pytest.raises(Invalid, match=sentence):
        open_till(other, ensure_till(counter.center, "CH-3"), counts, NOW)


def test_a_drop_makes_room_in_a_full_drawer_and_stays_in_the_expected_cash(counter):
    owed = owe(counter.day, "A1", CASH_LIMIT)
    room = CASH_LIMIT - FLOAT_CENTS
    pay(counter, owed.account_id, [(owed.charge_ids[0], room)], cash(room))
    make_drop(counter.supervisor, counter.session_id, room, "DROP-1", NOW)
    pay(counter, owed.account_id, [(owed.charge_ids[0], FLOAT_CENTS)], cash(FLOAT_CENTS))
    closed = close_till(counter.cashier, counter.session_id, {2000: 10}, 0, NOW)
    assert (closed.expected_cash_cents, closed.over_short_cents) == (2 * FLOAT_CENTS, 0)
    assert queries.session(counter.session_id).dropped_cents == room


def test_a_drop_is_refused_when_it_cannot_be(counter):
    drop = counter.supervisor, counter.session_id
    with pytest.raises(Invalid, match="numbered bag"):
        make_drop(*drop, 100, " ", NOW)
    with pytest.raises(Invalid, match="more than zero"):
        make_drop(*drop, 0, "B", NOW)
    with pytest.raises(Refused, match=r"less than \$1.00 above its float"):
        make_drop(*drop, 100, "B", NOW)
    with pytest.raises(NotFound):
        make_drop(counter.supervisor, 10**9, 100, "B", NOW)
    with pytest.raises(NotPermitted):
        make_drop(counter.cashier, counter.session_id, 100, "B", NOW)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(Refused, match="is closed"):
        make_drop(*drop, 100, "B", NOW)


def test_a_supervisor_who_works_as_cashier_takes_no_drop_from_the_own_drawer(counter):
    spare = ensure_till(counter.center, "CH-3")
    session_id = open_till(counter.supervisor, spare, FLOAT, NOW)
    with pytest.raises(NotPermitted, match="another person than the cashier"):
        make_drop(counter.supervisor, session_id, 100, "B", NOW)
