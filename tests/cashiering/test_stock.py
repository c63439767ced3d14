"""Numbered stock: every number is somewhere, and takes two persons to get elsewhere."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chamberlain.cashiering import queries as counter_queries
from chamberlain.cashiering.operations import (
    ask_for_void,
    close_center_day,
    close_till,
    ensure_till,
    take_payment,
    verify_till,
    void_receipt,
)
from chamberlain.cashiering.stock import counting, handing, queries, selling
from chamberlain.cashiering.stock.models import Count, Held, Kind, Move, Place, Sale
from chamberlain.cashiering.stock.numbers import Span, count
from chamberlain.cashiering.stock.places import NotThere, held_at
from chamberlain.cashiering.stock.selling import Order
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import proof
from chamberlain.ledger.queries import open_charges
from tests.cashiering.counter import FLOAT, cash, make_counter
from tests.cashiering.stock_office import STICKER, hand_over, make_stock_office, with_stickers
from tests.office import NOW, make_actor, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db):
    return make_stock_office()


@pytest.fixture
def payer(office):
    return owe(office.counter.day, "A1", 5000)


def at(place_id: int) -> list[Span]:
    return held_at(Kind.objects.get(code=STICKER), Place.objects.get(pk=place_id))


def in_role(role: str) -> list[Span]:
    return at(Place.objects.get(role=role).pk)


def order(payer, **more) -> Order:
    return Order(payer.account_id, "sticker.P", "AB 12 345", **more)


def test_a_delivery_is_entered_by_one_person_and_counted_by_another(office):
    made = handing.send(
        office.coordinator, STICKER, "1-100", None, office.store, "DN-77", NOW, "key"
    )
    assert (at(office.store), in_role("under_way")) == ([], [Span(1, 100)])
    with pytest.raises(NotPermitted, match="another person than who sent it"):
        handing.accept(office.coordinator, made, "1-100", NOW)
    assert handing.accept(office.second_coordinator, made, "1-60", NOW) == [Span(61, 100)]
    assert (at(office.store), in_role("under_way")) == ([Span(1, 60)], [Span(61, 100)])
    [row] = queries.handovers(is_open=True)
    assert (row.state, row.lacking) == ("lacking", "S000061 to S000100")
    with pytest.raises(AlreadyDone):
        handing.accept(office.second_coordinator, made, "61-100", NOW)


def test_what_did_not_arrive_is_settled_by_a_third_person(office):
    made = handing.send(office.coordinator, STICKER, "1-10", None, office.store, "DN", NOW, "k")
    handing.accept(office.second_coordinator, made, "1-8", NOW)
    for involved in (office.coordinator, office.second_coordinator):
        with pytest.raises(NotPermitted, match="another person than who sent it and who counted"):
            handing.settle_handover(involved, made, NOW, was_sent=True, note="gone")
    with pytest.raises(NotPermitted):
        handing.settle_handover(office.counter.supervisor, made, NOW, was_sent=True, note="gone")
    third = make_actor("third", Role.COORDINATOR)
    with pytest.raises(Invalid, match="Say what was found out"):
        handing.settle_handover(third, made, NOW, was_sent=True, note=" ")
    lost = handing.settle_handover(third, made, NOW, was_sent=False, note="the vendor forgot them")
    assert (lost, in_role("sent_back"), queries.handovers(is_open=True)) == (
        [Span(9, 10)],
        [Span(9, 10)],
        [],
    )
    with pytest.raises(AlreadyDone):
        handing.settle_handover(third, made, NOW, was_sent=True, note="again")


def test_a_number_that_was_not_sent_is_not_accepted(office):
    with_stickers(office)
    made = handing.send(
        office.counter.supervisor, STICKER, "21-25", office.safe, office.till, "", NOW, "k2"
    )
    with pytest.raises(Refused, match=r"S000026 is at the safe of .*; S000500 was never received"):
        handing.accept(office.counter.cashier, made, "21-26, 500", NOW)
    assert at(office.till) == [Span(1, 20)]


def test_numbers_that_are_elsewhere_are_named_with_their_place(office):
    with_stickers(office)
    with pytest.raises(NotThere, match="S000005 to S000006 is at till CH-1"):
        handing.send(
            office.counter.supervisor, STICKER, "5-6,30", office.safe, office.till, "", NOW, "k3"
        )
    assert not Move.objects.filter(first=30).exclude(last=100).exists()


def test_a_number_is_received_once(office):
    with_stickers(office)
    with pytest.raises(Refused, match="S000001 to S000100 of City sticker was received before"):
        handing.send(office.coordinator, STICKER, "1-200", None, office.store, "DN-2", NOW, "k4")


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("till", "store", "does not go from till CH-1 to the city's store"),
        ("till", "second_till", "does not go from till CH-1 to till CH-2"),
        ("safe", "safe", "does not go"),
    ],
)
def test_stock_goes_by_the_safe(office, source, target, sentence):
    with_stickers(office)
    with pytest.raises(Refused, match=sentence):
        handing.send(
            office.counter.supervisor, STICKER, "1", getattr(office, source),
            getattr(office, target), "", NOW, "k5",
        )  # fmt: skip


def test_a_till_gets_its_stock_from_its_own_center(office):
    with_stickers(office)
    other = make_counter("N2")
    place = Place.objects.get(till_id=other.till_ids[0]).pk
    with pytest.raises(Refused, match="are of one center"):
        handing.send(office.counter.supervisor, STICKER, "30", office.safe, place, "", NOW, "k6")
    with pytest.raises(NotPermitted):
        handing.send(other.supervisor, STICKER, "30", office.safe, office.till, "", NOW, "k7")


def test_a_handover_sent_twice_is_sent_once(office):
    with_stickers(office)
    sent = [
        handing.send(
            office.counter.supervisor, STICKER, "30", office.safe, office.till, "", NOW, "same"
        )
        for _ in range(2)
    ]
    assert sent[0] == sent[1]
    with pytest.raises(AlreadyDone, match="Somebody else sent this form"):
        handing.send(
            office.counter.second_supervisor, STICKER, "31", office.safe, office.till, "", NOW,
            "same",
        )  # fmt: skip


def test_a_sale_charges_the_price_and_takes_the_next_number(office, payer):
    with_stickers(office)
    sold = selling.sell(
        office.counter.cashier, office.counter.session_id, order(payer, months=7), NOW, "sale"
    )
    assert (sold.number, sold.kind) == ("S000001", "City sticker")
    charge = next(c for c in open_charges([payer.account_id]) if c.document == "S000001")
    assert charge.open_cents == 5843
    assert (in_role("sold"), at(office.till)) == ([Span(1, 1)], [Span(2, 20)])
    again = selling.sell(
        office.counter.cashier, office.counter.session_id, order(payer, months=7), NOW, "sale"
    )
    assert again == sold
    assert Sale.objects.count() == 1
    assert proof.prove(program_actor()).holds


def test_the_number_that_is_scanned_is_the_one_that_is_sold(office, payer):
    with_stickers(office)
    counter = office.counter
    sold = selling.sell(
        counter.cashier, counter.session_id, order(payer, typed="S000007"), NOW, "a"
    )
    assert sold.number == "S000007"
    with pytest.raises(NotThere, match="S000007 is sold"):
        selling.sell(counter.cashier, counter.session_id, order(payer, typed="7"), NOW, "b")
    with pytest.raises(NotThere, match="S000050 is at the safe"):
        selling.sell(counter.cashier, counter.session_id, order(payer, typed="50"), NOW, "c")
    assert Sale.objects.count() == 1


def test_a_till_without_stickers_says_so_and_charges_nothing(office, payer):
    counter = office.counter
    before = open_charges([payer.account_id])
    with pytest.raises(Refused, match="Till CH-1 has no City sticker left"):
        selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    assert open_charges([payer.account_id]) == before


def test_a_sale_is_made_at_ones_own_open_till(office, payer):
    with_stickers(office)
    counter = office.counter
    with pytest.raises(NotPermitted, match="sell at your own till"):
        selling.sell(counter.second_cashier, counter.session_id, order(payer), NOW, "a")
    with pytest.raises(NotPermitted):
        selling.sell(office.coordinator, counter.session_id, order(payer), NOW, "b")
    with pytest.raises(NotFound):
        selling.sell(
            counter.cashier, counter.session_id, Order(payer.account_id, "none", "X"), NOW, "c"
        )


def test_a_fee_without_stock_gets_a_number_of_its_own(office, payer):
    counter = office.counter
    hydrant = Order(payer.account_id, "fee.hydrant", "12 W Lake St", times=3)
    sold = selling.sell(counter.cashier, counter.session_id, hydrant, NOW, "a")
    assert (sold.number[:2], sold.kind) == ("R-", "")
    assert {c.document: c.open_cents for c in open_charges([payer.account_id])}[
        sold.number
    ] == 25134
    assert selling.sell(counter.cashier, counter.session_id, hydrant, NOW, "a") == sold


def test_an_unpaid_sale_is_taken_back_and_its_number_sold_again(office, payer):
    with_stickers(office)
    counter = office.counter
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    [unpaid] = selling.unpaid_sales(counter.session_id)
    assert (unpaid.number, unpaid.open_cents) == ("S000001", 10017)
    with pytest.raises(Invalid, match="Say why"):
        selling.undo_sale(counter.cashier, unpaid.sale_id, " ", NOW)
    selling.undo_sale(counter.cashier, unpaid.sale_id, "wrong class", NOW)
    assert (at(office.till), in_role("sold")) == ([Span(1, 20)], [])
    assert [c.document for c in open_charges([payer.account_id])] != ["S000001"]
    with pytest.raises(AlreadyDone):
        selling.undo_sale(counter.cashier, unpaid.sale_id, "again", NOW)
    again = selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "b")
    assert again.number == "S000001"
    assert selling.unpaid_sales(counter.session_id)[0].obligation_id == again.obligation_id
    assert proof.prove(program_actor()).holds


def test_a_spoiled_item_of_a_sale_is_seen_by_a_second_person(office, payer):
    with_stickers(office)
    counter = office.counter
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    [unpaid] = selling.unpaid_sales(counter.session_id)
    with pytest.raises(NotPermitted):
        selling.undo_sale(
            counter.cashier, unpaid.sale_id, "torn", NOW, spoiled_before=counter.second_cashier
        )
    selling.undo_sale(
        counter.cashier, unpaid.sale_id, "torn", NOW, spoiled_before=counter.supervisor
    )
    assert (at(office.till), in_role("spoiled")) == ([Span(2, 20)], [Span(1, 1)])
    [*_, last] = queries.way_of_number(STICKER, "1")[1]
    assert (last.second, last.reason) == ("Sue-Ch", "torn")


def test_a_paid_sale_is_taken_back_only_after_its_receipt_is_voided(office, payer):
    with_stickers(office)
    counter = office.counter
    sold = selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    [charge] = [c for c in open_charges([payer.account_id]) if c.document == sold.number]
    receipt = take_payment(
        counter.cashier, counter.session_id, payer.account_id,
        [(charge.charge_id, charge.open_cents)], [cash(charge.open_cents)], NOW, "pay",
    )  # fmt: skip
    sale = Sale.objects.get()
    assert selling.unpaid_sales(counter.session_id) == []
    with pytest.raises(Refused, match="have the receipt voided first"):
        selling.undo_sale(counter.cashier, sale.pk, "changed their mind", NOW)
    ask_for_void(counter.cashier, receipt.receipt_id, "changed their mind", NOW)
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    selling.undo_sale(counter.cashier, sale.pk, "changed their mind", NOW)
    assert at(office.till) == [Span(1, 20)]
    assert proof.prove(program_actor()).holds


def test_a_count_that_lacks_numbers_names_them_and_another_person_settles_it(office):
    with_stickers(office)
    counter = office.counter
    found = counting.count_stock(counter.cashier, office.till, STICKER, "1-6, 8-20, 77", NOW)
    row = queries.count_row(found.pk)
    assert (row.missing, row.surplus, row.is_settled) == ("S000007", "S000077", False)
    with pytest.raises(NotPermitted):
        counting.settle_count(counter.cashier, found.pk, "I lost it", NOW)
    counting.settle_count(counter.supervisor, found.pk, "7 is lost; 77 was in the drawer", NOW)
    assert (in_role("missing"), at(office.till)) == (
        [Span(7, 7)],
        [Span(1, 6), Span(8, 20), Span(77, 77)],
    )
    with pytest.raises(AlreadyDone):
        counting.settle_count(counter.second_supervisor, found.pk, "again", NOW)


def test_what_was_sold_does_not_come_back_by_a_count(office, payer):
    with_stickers(office)
    counter = office.counter
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    found = counting.count_stock(counter.cashier, office.till, STICKER, "1-20", NOW)
    assert queries.count_row(found.pk).surplus == "S000001"
    counting.settle_count(counter.supervisor, found.pk, "never handed out", NOW)
    assert (in_role("sold"), at(office.till)) == ([Span(1, 1)], [Span(2, 20)])


def test_a_count_that_agrees_settles_the_earlier_one(office):
    with_stickers(office)
    counter = office.counter
    counting.count_stock(counter.cashier, office.till, STICKER, "none", NOW)
    assert len(queries.counts(is_settled=False)) == 1
    agreed = counting.count_stock(counter.cashier, office.till, STICKER, "1-20", NOW)
    assert agreed.is_settled
    assert queries.counts(is_settled=False) == []
    assert at(office.till) == [Span(1, 20)]


def test_a_till_is_not_closed_before_its_stock_is_counted_and_its_sales_are_paid(office, payer):
    with_stickers(office)
    counter = office.counter
    later = NOW + timedelta(minutes=5)

    def close():
        return close_till(counter.cashier, counter.session_id, FLOAT, 0, later)

    with pytest.raises(Refused, match="The stock of till CH-1 is not counted: City sticker"):
        close()
    counting.count_stock(counter.cashier, office.till, STICKER, "1-20", later)
    selling.sell(counter.cashier, counter.session_id, order(payer), later, "a")
    with pytest.raises(Refused, match="City sticker S000001 was sold and is not paid"):
        close()
    selling.undo_sale(
        counter.cashier, selling.unpaid_sales(counter.session_id)[0].sale_id, "left", later
    )
    with pytest.raises(Refused, match="is not counted"):
        close()
    counting.count_stock(counter.cashier, office.till, STICKER, "1-20", later)
    close()
    # The second till holds no stock and closes without a count.
    close_till(counter.second_cashier, counter.second_session_id, FLOAT, 0, later)


def test_a_day_is_not_closed_while_a_count_differs(office):
    with_stickers(office)
    counter = office.counter
    later = NOW + timedelta(minutes=5)
    found = counting.count_stock(counter.cashier, office.till, STICKER, "2-20", later)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, later)
    close_till(counter.second_cashier, counter.second_session_id, FLOAT, 0, later)
    for session in (counter.session_id, counter.second_session_id):
        verify_till(counter.supervisor, session, later)
    with pytest.raises(Refused, match="count of City sticker at till CH-1 differs by S000001"):
        close_center_day(counter.supervisor, counter.day.pk, later)
    counting.settle_count(counter.supervisor, found.pk, "not found in the whole room", later)
    close_center_day(counter.supervisor, counter.day.pk, later)


def test_spoiled_stock_has_two_names(office):
    with_stickers(office)
    counter = office.counter
    with pytest.raises(NotPermitted, match="second person"):
        handing.spoil(
            counter.supervisor, counter.supervisor, office.safe, STICKER, "50", "wet", NOW
        )
    made = handing.spoil(
        counter.supervisor, counter.second_supervisor, office.safe, STICKER, "50-51", "wet", NOW
    )
    assert (made, in_role("spoiled")) == (2, [Span(50, 51)])


def test_the_sheet_of_a_day_adds_up(office, payer):
    with_stickers(office)
    counter = office.counter
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "b")
    selling.undo_sale(
        counter.cashier, selling.unpaid_sales(counter.session_id)[1].sale_id, "no", NOW
    )
    sheet = {row.place: row for row in queries.sheet(counter.center.pk, NOW.date(), "UTC")}
    till = sheet["till CH-1"]
    assert (till.opening, till.received, till.sold, till.taken_back, till.closing) == (
        0, 20, 2, 1, 19,
    )  # fmt: skip
    assert all(row.adds_up for row in sheet.values())
    next_day = queries.sheet(counter.center.pk, NOW.date() + timedelta(days=1), "UTC")
    assert {row.place: (row.opening, row.closing) for row in next_day}["till CH-1"] == (19, 19)


def test_the_board_tells_which_till_runs_low(office):
    with_stickers(office, at_till="1-4")
    [low] = [row for row in queries.stock() if row.is_low]
    assert (low.place, low.count, low.numbers) == ("till CH-1", 4, "S000001 to S000004")
    assert queries.at_till(office.counter.till_ids[0]) == [low]


def test_a_new_till_and_a_new_center_have_their_place(office):
    till = ensure_till(office.counter.center, "CH-9")
    assert Place.objects.get(till_id=till).role == "till"
    assert counter_queries.till_board(office.counter.center.pk)[-1].till == "CH-9"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_move SET first = 2",
        "DELETE FROM stock_move",
        "INSERT INTO stock_held (kind_id, place_id, numbers)"
        " SELECT kind_id, place_id, '[900,901)' FROM stock_held LIMIT 1",
        "DELETE FROM stock_held",
        "UPDATE stock_held SET place_id = place_id + 1",
        "DELETE FROM stock_sale",
        "DELETE FROM stock_count",
        "UPDATE stock_count SET missing = '[]'",
        "UPDATE stock_handover SET spans = '[]'",
        "UPDATE stock_sale SET number = 3",
        "INSERT INTO stock_move (kind_id, first, last, source_id, target_id, moved_by_id, moved_at,"
        " reason) SELECT kind_id, 500, 501, source_id, target_id, moved_by_id, moved_at, ''"
        " FROM stock_move WHERE source_id IS NOT NULL LIMIT 1",
    ],
)
def test_the_database_itself_refuses(office, payer, statement):
    with_stickers(office)
    counter = office.counter
    selling.sell(counter.cashier, counter.session_id, order(payer), NOW, "a")
    counting.count_stock(counter.cashier, office.till, STICKER, "none", NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


class RandomStock(TestCase):
    """Whatever is done in whatever order, every number received is at exactly one place."""

    @settings(max_examples=25)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["to_till", "back", "sell", "undo", "spoil", "count"]),
                st.integers(1, 30),
                st.integers(0, 4),
            ),
            max_size=25,
        )
    )
    def test_no_number_is_lost(self, steps):
        office = make_stock_office()
        counter = office.counter
        payer = owe(counter.day, "A1", 5000)
        with_stickers(office, "1-30", "1-10")
        for n, (act, first, more) in enumerate(steps):
            span = f"{first}-{min(first + more, 30)}"
            try:
                with transaction.atomic():
                    _do(office, payer, act, span, n)
            except Refused:
                pass
            kept = [
                (held.numbers.lower, held.numbers.upper - 1) for held in Held.objects.order_by("id")
            ]
            assert count(Span(*each) for each in kept) == 30
            assert sorted(i for a, b in kept for i in range(a, b + 1)) == list(range(1, 31))
        assert (
            not Count.objects.filter(is_settled=True, settled_by=None)
            .exclude(missing=[], surplus=[])
            .exclude(note__startswith="Counted again")
        )


def _do(office, payer, act, span, n):
    counter = office.counter
    if act == "to_till":
        hand_over(counter.supervisor, counter.cashier, span, office.safe, office.till)
    elif act == "back":
        hand_over(counter.cashier, counter.supervisor, span, office.till, office.safe)
    elif act == "sell":
        selling.sell(counter.cashier, counter.session_id, order(payer), NOW, f"s{n}")
    elif act == "undo":
        for sale in selling.unpaid_sales(counter.session_id)[:1]:
            selling.undo_sale(counter.cashier, sale.sale_id, "no", NOW)
    elif act == "spoil":
        handing.spoil(
            counter.supervisor, counter.second_supervisor, office.safe, STICKER, span, "x", NOW
        )
    else:
        made = counting.count_stock(counter.cashier, office.till, STICKER, span, NOW)
        if not made.is_settled:
            counting.settle_count(counter.supervisor, made.pk, "looked everywhere", NOW)
