"""Adjustments are asked for by one person, approved by another, and post exactly what they say."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from chamberlain.billing.adjusting import queries
from chamberlain.billing.adjusting.models import Adjustment
from chamberlain.billing.adjusting.operations import (
    Wanted,
    approve_adjustment,
    ask_adjustment,
    refuse_adjustment,
    withdraw_adjustment,
)
from chamberlain.billing.adjusting.reasons import load_reasons, reasons_on
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import Charge
from chamberlain.ledger.operations import reverse_entry, seal_business_day
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance, open_charges, transfers_of_entry
from tests import office
from tests.billing.adjust_scenes import Adjusting, make_adjusting_office, reason
from tests.office import DAY, NOW, Owed, make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Adjusting:
    return make_adjusting_office()


@pytest.fixture
def account(place: Adjusting) -> Owed:
    return office.owe(place.day, "A", 3000, 2000)


def approve(place: Adjusting, number: str) -> int:
    return approve_adjustment(place.supervisor, number, place.day.pk, NOW)


def stands(account_id: int) -> tuple[int, int]:
    found = balance(account_id)
    return found.owed_cents, found.credit_cents


def test_a_leak_credit_settles_what_is_open_first_and_the_rest_becomes_credit(
    place: Adjusting, account: Owed
) -> None:
    number = place.ask("A", "leak", 6000)
    assert stands(account.account_id) == (5000, 0)
    entry_id = approve(place, number)
    assert stands(account.account_id) == (0, 1000)
    moved = [(t.cents, t.effect, t.debit) for t in transfers_of_entry(entry_id)]
    bearing = "Adjustments: Leak credit"
    assert moved == [(3000, "settle", bearing), (2000, "settle", bearing), (1000, "none", bearing)]
    row = queries.adjustment(number)
    assert (row.status, row.entry_id, row.decided_by) == ("posted", entry_id, "Sam")
    assert prove(program_actor()).differences == ()


def test_a_chosen_charge_alone_is_settled(place: Adjusting, account: Owed) -> None:
    number = place.ask("A", "bankrupt", 2000, charge_ids=(account.charge_ids[1],))
    approve(place, number)
    [left] = open_charges([account.account_id])
    assert left.charge_id == account.charge_ids[0]
    assert [row.charge_id for row in queries.charges_of(number)] == [account.charge_ids[1]]


def test_who_asked_may_not_approve_and_the_database_holds_it_too(
    place: Adjusting, account: Owed
) -> None:
    wanted = Wanted("A", "sorry", 1000, "The call took an hour")
    number = ask_adjustment(place.supervisor, wanted, DAY, NOW, "own")
    with pytest.raises(NotPermitted, match="another person"):
        approve(place, number)
    with pytest.raises(NotPermitted, match="withdraw it"):
        refuse_adjustment(place.supervisor, number, "no", NOW)
    with (
        pytest.raises(IntegrityError, match="adjustment_decided_by_another"),
        transaction.atomic(),
    ):
        Adjustment.objects.filter(number=number).update(
            status="refused", decided_by_id=place.supervisor.user_id, decided_at=NOW
        )


def test_a_clerk_may_not_approve(place: Adjusting, account: Owed) -> None:
    number = place.ask("A", "sorry", 1000)
    other = make_actor("carl", Role.CLERK)
    with pytest.raises(NotPermitted):
        approve_adjustment(other, number, place.day.pk, NOW)


def test_a_larger_amount_needs_a_higher_role(place: Adjusting) -> None:
    office.owe(place.day, "BIG", 50_000)
    number = place.ask("BIG", "bankrupt", 20_000)
    with pytest.raises(NotPermitted, match="approved by the coordinator of payment services"):
        approve(place, number)
    approve_adjustment(place.coordinator, number, place.day.pk, NOW)
    assert queries.step_of(number).roles == ("coordinator",)


@pytest.mark.parametrize(
    ("code", "cents", "says"),
    [
        ("leak", 10_001, r"\$50.01 of credit on the account, and \$50.00 is allowed; ask for at "
         r"most \$100.00"),
        ("bankrupt", 5001, r"Only \$50.00 is open for this, and \$50.01 was asked for"),
        ("first_time", 100, r"Only \$0.00 is open for this"),
        ("asked_back", 100, r"has \$0.00 of credit, and \$1.00 was asked for"),
        ("bankrupt", 100_001, r"allows at most \$1,000.00"),
        ("bankrupt", 0, "above nothing"),
        ("old", 100, "no reason “old”"),
    ],
)  # fmt: skip
def test_what_could_not_be_posted_is_not_asked_for(
    place: Adjusting, account: Owed, code: str, cents: int, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        place.ask("A", code, cents)
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted("A", "sorry", 100, "  "), "note"),
        (Wanted("A", "sorry", 100, "why", other_account="B"), "other_account"),
        (Wanted("A", "sorry", 100, "why", payment_id=1), "payment"),
        (Wanted("A", "wrong_account", 100, "why", other_account="B"), "payment"),
        (Wanted("A", "holders_credit", 100, "why", other_account="A"), "other_account"),
        (Wanted("A", "holders_credit", 100, "why", other_account="Z"), "other_account"),
        (Wanted("A", "holders_charges", 0, "why", other_account="B"), "charges"),
        (Wanted("A", "holders_charges", 0, "why", (1,), "B"), "charges"),
    ],
)
def test_a_wrong_field_is_named(
    place: Adjusting, account: Owed, wanted: Wanted, field: str
) -> None:
    office.owe(place.day, "B", 1500)
    with pytest.raises(Invalid) as refused:
        ask_adjustment(place.clerk, wanted, DAY, NOW, "k")
    assert refused.value.field == field


def test_asking_twice_with_one_key_asks_once(place: Adjusting, account: Owed) -> None:
    wanted = Wanted("A", "sorry", 100, "why")
    numbers = {ask_adjustment(place.clerk, wanted, DAY, NOW, "same") for _ in range(2)}
    assert len(numbers) == 1 == Adjustment.objects.count()


@pytest.mark.parametrize(
    "other",
    [
        {"account": "B"},
        {"reason": "leak"},
        {"cents": 200},
        {"other_account": "B"},
        {"payment_id": 1},
    ],
)
def test_a_key_is_not_used_for_something_else(
    place: Adjusting, account: Owed, other: dict[str, object]
) -> None:
    office.owe(place.day, "B", 1500)
    wanted = Wanted("A", "sorry", 100, "why")
    number = ask_adjustment(place.clerk, wanted, DAY, NOW, "same")
    with pytest.raises(AlreadyDone, match=f"another adjustment, {number}"):
        ask_adjustment(place.clerk, replace(wanted, **other), DAY, NOW, "same")  # type: ignore[arg-type]
    with pytest.raises(AlreadyDone, match="open a new form"):
        ask_adjustment(place.supervisor, wanted, DAY, NOW, "same")
    assert Adjustment.objects.count() == 1


def test_charges_asked_to_be_moved_twice_with_one_key_are_asked_for_once(
    place: Adjusting, account: Owed
) -> None:
    office.owe(place.day, "B", 1500)
    ids = tuple(account.charge_ids)
    wanted = Wanted("A", "holders_charges", 0, "why", ids, other_account=" B ")
    numbers = {ask_adjustment(place.clerk, wanted, DAY, NOW, "same") for _ in range(2)}
    assert len(numbers) == 1 == Adjustment.objects.count()


def test_an_account_that_was_paid_meanwhile_is_not_overpaid(
    place: Adjusting, account: Owed
) -> None:
    number = place.ask("A", "bankrupt", 5000)
    place.pay("A", 1000, "P1")
    with pytest.raises(Refused, match=rf"{number}: Only \$40.00 is open"):
        approve(place, number)
    assert queries.adjustment(number).status == "asked"


def test_a_decision_is_made_once_and_never_changed(place: Adjusting, account: Owed) -> None:
    number = place.ask("A", "sorry", 1000)
    approve(place, number)
    for again in (
        lambda: approve(place, number),
        lambda: refuse_adjustment(place.supervisor, number, "no", NOW),
        lambda: withdraw_adjustment(place.clerk, number, NOW),
    ):
        with pytest.raises(AlreadyDone, match="posted before"):
            again()
    with pytest.raises(DatabaseError, match="ask for another"), transaction.atomic():
        Adjustment.objects.filter(number=number).update(note="changed")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM adjusting_adjustment")


def test_a_refusal_says_why_and_a_withdrawal_is_the_askers_own(
    place: Adjusting, account: Owed
) -> None:
    refused, withdrawn = place.ask("A", "sorry", 100), place.ask("A", "sorry", 200)
    with pytest.raises(Invalid, match="Say why"):
        refuse_adjustment(place.supervisor, refused, " ", NOW)
    refuse_adjustment(place.supervisor, refused, "Not our mistake", NOW)
    with pytest.raises(NotPermitted, match="Another person"):
        withdraw_adjustment(place.supervisor, withdrawn, NOW)
    withdraw_adjustment(place.clerk, withdrawn, NOW)
    found = [(row.status, row.decision) for row in queries.decided()]
    assert found == [("withdrawn", ""), ("refused", "Not our mistake")]
    assert (queries.count_decided(), queries.count_waiting(), queries.waiting()) == (2, 0, [])


def test_nothing_is_posted_on_a_closed_day(place: Adjusting, account: Owed) -> None:
    number = place.ask("A", "sorry", 100)
    seal_business_day(place.coordinator, place.day.pk, NOW)
    with pytest.raises(DayClosed):
        approve(place, number)
    with pytest.raises(NotFound, match="business day"):
        approve_adjustment(place.supervisor, number, 0, NOW)


def test_an_adjustment_that_does_not_exist_is_not_found(place: Adjusting) -> None:
    with pytest.raises(NotFound):
        approve(place, "ADJ-999999")
    with pytest.raises(NotFound):
        queries.adjustment("ADJ-999999")


def test_a_payment_on_the_wrong_account_moves_with_all_that_it_settled(
    place: Adjusting, account: Owed
) -> None:
    other = office.owe(place.day, "B", 1500)
    payment = place.pay("A", 6000, "P1")
    assert stands(account.account_id) == (0, 1000)
    number = place.ask("A", "wrong_account", 4500, other_account="B", payment_id=payment)
    approve(place, number)
    assert stands(account.account_id) == (3500, 0)
    assert stands(other.account_id) == (0, 3000)
    with pytest.raises(Refused, match=r"\$15.00 of this payment is on the account"):
        place.ask("A", "wrong_account", 1501, other_account="B", payment_id=payment)
    assert prove(program_actor()).differences == ()
    seen = [row.number for row in queries.adjustments_of_account(other.account_id)]
    assert seen == [number]


def test_what_a_payment_settled_and_was_opened_again_is_not_moved_twice(
    place: Adjusting, account: Owed
) -> None:
    office.owe(place.day, "B", 1500)
    payment = place.pay("A", 6000, "P1")
    approve(place, place.ask("A", "holders_credit", 1000, other_account="B"))
    with pytest.raises(Refused, match=r"\$10.00 of what this payment settled was taken back"):
        place.ask("A", "wrong_account", 6000, other_account="B", payment_id=payment)


def test_a_reversed_payment_is_not_moved(place: Adjusting, account: Owed) -> None:
    office.owe(place.day, "B", 1500)
    payment = place.pay("A", 1000, "P1")
    reverse_entry(program_actor(), payment, place.day.pk, NOW, kind="returned", reason="bounced")
    with pytest.raises(Refused, match="was reversed"):
        place.ask("A", "wrong_account", 1000, other_account="B", payment_id=payment)


def test_a_payment_that_went_with_a_reversed_bill_does_not_open_the_bill_again(
    place: Adjusting, account: Owed
) -> None:
    office.owe(place.day, "B", 1500)
    payment = place.pay("A", 3000, "P1")
    bill = Charge.objects.get(pk=account.charge_ids[0]).entry_id
    credits_id = chart.ledger_account_id(chart.CREDITS)
    water = chart.charge_kinds()["water"]
    legs = [
        Leg(water.receivable_id, credits_id, 3000, "unsettle", account.account_id,
            account.charge_ids[0]),
        *(
            Leg(water.revenue_id, water.receivable_id, cents, "settle", account.account_id, charge)
            for charge, cents in zip(account.charge_ids, (3000, 2000), strict=True)
        ),
    ]  # fmt: skip
    by = program_actor().user_id
    post(NewEntry(place.day.pk, "bill_reversed", by, NOW, "A", legs, reverses_id=bill))
    before = stands(account.account_id)
    with pytest.raises(Refused, match=r"Bill A-0 was reversed or replaced since.* as credit\."):
        place.ask("A", "wrong_account", 3000, other_account="B", payment_id=payment)
    assert stands(account.account_id) == before


def test_credit_moves_to_the_holders_other_account(place: Adjusting, account: Owed) -> None:
    other = office.owe(place.day, "B", 1500)
    place.pay("A", 7000, "P1")
    with pytest.raises(Refused, match=r"\$20.00 of credit"):
        place.ask("A", "holders_credit", 2001, other_account="B")
    approve(place, place.ask("A", "holders_credit", 2000, other_account="B"))
    assert stands(account.account_id) == (0, 0)
    assert stands(other.account_id) == (0, 500)


def test_credit_is_not_heaped_up_on_the_other_account(place: Adjusting) -> None:
    office.owe(place.day, "A")
    office.owe(place.day, "B")
    place.pay("A", 60_000, "P1")
    with pytest.raises(Refused, match="On the other account: It would leave"):
        place.ask("A", "holders_credit", 50_001, other_account="B")


def test_charges_move_to_the_holders_other_account(place: Adjusting, account: Owed) -> None:
    other = office.owe(place.day, "B", 1500)
    place.pay("A", 500, "P1")
    number = place.ask(
        "A", "holders_charges", 0, other_account="B", charge_ids=tuple(account.charge_ids)
    )
    approve(place, number)
    assert stands(account.account_id) == (0, 0)
    assert stands(other.account_id) == (1500 + 4500, 0)
    assert {c.document for c in open_charges([other.account_id])} == {"B-0", number}
    assert prove(program_actor()).differences == ()


def test_charges_paid_meanwhile_are_asked_for_again(place: Adjusting, account: Owed) -> None:
    office.owe(place.day, "B", 1500)
    ids = (account.charge_ids[0],)
    number = place.ask("A", "holders_charges", 0, other_account="B", charge_ids=ids)
    place.pay("A", 500, "P1")
    with pytest.raises(Refused, match=r"\$25.00 is open on the charges now"):
        approve(place, number)


def test_credit_is_paid_back_only_where_nothing_is_owed(place: Adjusting) -> None:
    owed = office.owe(place.day, "A")
    place.pay("A", 2500, "P1")
    number = place.ask("A", "asked_back", 2500)
    entry_id = approve(place, number)
    assert stands(owed.account_id) == (0, 0)
    [moved] = transfers_of_entry(entry_id)
    assert (moved.debit, moved.credit) == ("Customers' credits", "Refunds to be paid out")


def test_an_account_that_owes_is_not_refunded(place: Adjusting, account: Owed) -> None:
    place.pay("A", 5500, "P1")
    number = place.ask("A", "asked_back", 500)
    place.charge(account.account_id, 700)
    assert stands(account.account_id) == (700, 500)
    with pytest.raises(Refused, match=r"The account owes \$7.00"):
        approve(place, number)


def test_reasons_of_the_day_come_in_the_order_of_kinds(place: Adjusting) -> None:
    codes = [each.code for each in reasons_on(DAY)]
    assert codes[0] == "leak"
    assert codes[-1] == "unclaimed"
    assert "old" not in codes


def test_a_reason_names_charge_kinds_that_the_city_has(place: Adjusting) -> None:
    with pytest.raises(NotFound, match="charge kind steam"):
        load_reasons(program_actor(), [reason("x", "goodwill", charge_kinds=("steam",))])
