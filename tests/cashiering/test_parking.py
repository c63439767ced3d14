"""Baskets put aside and drawers opened without a payment."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from chamberlain.cashiering import parking, queries
from chamberlain.cashiering.models import NoSale
from chamberlain.cashiering.operations import PrinterUnreachable, close_till, open_drawer
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from tests.cashiering.counter import FLOAT, Counter, make_counter
from tests.office import NOW

pytestmark = pytest.mark.django_db
TYPED = {"account": ["7", "9"], "pay-12": ["10.00"]}


@pytest.fixture
def counter() -> Counter:
    return make_counter()


def test_a_parked_basket_is_picked_up_once_by_any_cashier_of_the_center(counter):
    made = parking.park(counter.cashier, counter.session_id, " red hat ", TYPED, NOW)
    [row] = parking.parked(counter.center.pk, NOW)
    assert (row.parked_id, row.note, row.parked_by) == (made, "red hat", "Ana-Ch")
    found = parking.pick_up(counter.second_cashier, counter.second_session_id, made, NOW)
    assert found == TYPED
    with pytest.raises(AlreadyDone, match="Ben-Ch picked this basket up before"):
        parking.pick_up(counter.cashier, counter.session_id, made, NOW)
    assert parking.parked(counter.center.pk, NOW) == []


def test_a_basket_waits_at_its_own_center_and_not_until_tomorrow(counter):
    made = parking.park(counter.cashier, counter.session_id, "", TYPED, NOW)
    other = make_counter("N2")
    with pytest.raises(NotFound, match="at this center"):
        parking.pick_up(other.cashier, other.session_id, made, NOW)
    with pytest.raises(NotPermitted):
        parking.park(other.cashier, counter.session_id, "", TYPED, NOW)
    assert parking.parked(other.center.pk, NOW) == []
    assert parking.parked(counter.center.pk, NOW + timedelta(hours=13)) == []


def test_what_cannot_be_parked_is_said(counter):
    with pytest.raises(Invalid, match="at most 80") as refusal:
        parking.park(counter.cashier, counter.session_id, "x" * 81, TYPED, NOW)
    assert refusal.value.field == "park_note"
    many = {f"pay-{n}": ["1"] for n in range(1001)}
    with pytest.raises(Invalid, match="too large"):
        parking.park(counter.cashier, counter.session_id, "", many, NOW)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(NotFound, match="not open any more"):
        parking.park(counter.cashier, counter.session_id, "", TYPED, NOW)


def test_a_drawer_opened_without_a_payment_is_kept_with_its_reason(counter, settings, tmp_path):
    paper = tmp_path / "printer"
    settings.PRINTER_ADDRESS = f"file:{paper}"
    open_drawer(counter.cashier, counter.session_id, " change for the bus ", NOW)
    assert paper.read_bytes().startswith(b"\x1bp")
    [row] = queries.no_sales(counter.session_id)
    assert (row.reason, queries.session(counter.session_id).no_sales) == ("change for the bus", 1)


def test_without_a_printer_the_reason_is_kept_all_the_same(counter):
    with pytest.raises(PrinterUnreachable):
        open_drawer(counter.cashier, counter.session_id, "coins", NOW)
    assert NoSale.objects.count() == 1


def test_only_its_cashier_opens_a_drawer_and_says_why(counter):
    with pytest.raises(Invalid, match="Say why"):
        open_drawer(counter.cashier, counter.session_id, " ", NOW)
    with pytest.raises(Refused, match="is not yours"):
        open_drawer(counter.second_cashier, counter.session_id, "coins", NOW)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(Refused, match="is closed"):
        open_drawer(counter.cashier, counter.session_id, "coins", NOW)
    assert not NoSale.objects.exists()


@pytest.mark.parametrize(
    "statement", ["DELETE FROM cashiering_nosale", "UPDATE cashiering_nosale SET reason = 'none'"]
)
def test_a_no_sale_is_not_taken_back(counter, statement):
    with pytest.raises(PrinterUnreachable):
        open_drawer(counter.cashier, counter.session_id, "coins", NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
