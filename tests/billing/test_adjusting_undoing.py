"""What follows a posted adjustment: a refund is paid out once, a mistake is undone by an entry."""

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from chamberlain.billing.adjusting import queries
from chamberlain.billing.adjusting.models import RefundPayment
from chamberlain.billing.adjusting.operations import Wanted, approve_adjustment, ask_adjustment
from chamberlain.billing.adjusting.undoing import pay_out_refund, reverse_adjustment
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger.posting import NotEnoughCredit, OverSettled
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance, transfers_of_entry
from tests import office
from tests.billing.adjust_scenes import Adjusting, make_adjusting_office
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Adjusting:
    return make_adjusting_office()


def posted(place: Adjusting, account: str, code: str, cents: int, **other: object) -> str:
    number = place.ask(account, code, cents, **other)
    approve_adjustment(place.supervisor, number, place.day.pk, NOW)
    return number


def refund(place: Adjusting) -> str:
    office.owe(place.day, "R")
    place.pay("R", 2500, "P-R")
    return posted(place, "R", "asked_back", 2500)


def undo(place: Adjusting, number: str) -> int:
    return reverse_adjustment(place.supervisor, number, place.day.pk, NOW, "Wrong account")


def pay(place: Adjusting, number: str, reference: str = "Check 7") -> int:
    return pay_out_refund(place.coordinator, number, reference, place.day.pk, NOW)


def test_a_refund_is_paid_out_once_by_another_person(place: Adjusting) -> None:
    number = refund(place)
    assert [row.number for row in queries.refunds_to_pay()] == [number]
    with pytest.raises(Invalid, match="number of the check"):
        pay(place, number, " ")
    entry_id = pay(place, number)
    [moved] = transfers_of_entry(entry_id)
    assert (moved.debit, moved.credit, moved.cents) == (
        "Refunds to be paid out", "City bank account", 2500,
    )  # fmt: skip
    row = queries.adjustment(number)
    assert (row.paid_reference, row.paid_entry_id) == ("Check 7", entry_id)
    assert (queries.refunds_to_pay(), queries.count_refunds_to_pay()) == ([], 0)
    with pytest.raises(AlreadyDone, match="paid out before"):
        pay(place, number)
    with pytest.raises(Refused, match="cannot be reversed any more"):
        undo(place, number)
    assert prove(program_actor()).differences == ()


def test_who_asked_for_a_refund_does_not_pay_it_out(place: Adjusting) -> None:
    office.owe(place.day, "R")
    place.pay("R", 2500, "P-R")
    wanted = Wanted("R", "asked_back", 2500, "why")
    number = ask_adjustment(place.supervisor, wanted, DAY, NOW, "own")
    entry_id = approve_adjustment(place.coordinator, number, place.day.pk, NOW)
    with pytest.raises(NotPermitted, match="another person pays"):
        pay_out_refund(place.supervisor, number, "Check 7", place.day.pk, NOW)
    with pytest.raises(NotPermitted):
        pay_out_refund(place.clerk, number, "Check 7", place.day.pk, NOW)
    with pytest.raises(NotPermitted, match="another person reverses"):
        undo(place, number)
    with pytest.raises(DatabaseError, match="its asker pays"), transaction.atomic():
        RefundPayment.objects.create(
            adjustment_id=int(number[4:]), entry_id=entry_id, reference="x",
            paid_by_id=place.supervisor.user_id, paid_at=NOW,
        )  # fmt: skip


def test_only_an_approved_refund_is_paid_out(place: Adjusting) -> None:
    office.owe(place.day, "A", 3000)
    with pytest.raises(Refused, match="is no refund"):
        pay(place, posted(place, "A", "sorry", 1000))
    with pytest.raises(Refused, match="was not posted"):
        pay(place, place.ask("A", "sorry", 1000))
    with pytest.raises(NotFound):
        pay(place, "ADJ-999999")
    number = refund(place)
    undo(place, number)
    with pytest.raises(Refused, match="was reversed"):
        pay(place, number)


def test_a_mistake_is_undone_by_an_entry_that_points_at_it(place: Adjusting) -> None:
    owed = office.owe(place.day, "A", 3000)
    number = posted(place, "A", "sorry", 4000)
    assert balance(owed.account_id).credit_cents == 1000
    entry_id = undo(place, number)
    after = balance(owed.account_id)
    assert (after.owed_cents, after.credit_cents) == (3000, 0)
    assert queries.adjustment(number).reversed_by_id == entry_id
    with pytest.raises(AlreadyDone):
        undo(place, number)
    with pytest.raises(Invalid, match="Say why"):
        reverse_adjustment(place.supervisor, number, place.day.pk, NOW, " ")


def test_what_was_used_since_is_not_taken_back(place: Adjusting) -> None:
    owed = office.owe(place.day, "A", 3000)
    office.owe(place.day, "B", 1000)
    number = posted(place, "A", "sorry", 4000)
    posted(place, "A", "holders_credit", 1000, other_account="B")
    with pytest.raises(NotEnoughCredit):
        undo(place, number)
    moved = office.owe(place.day, "C", 500)
    charges = posted(
        place, "C", "holders_charges", 0, other_account="A", charge_ids=tuple(moved.charge_ids)
    )
    place.pay("A", 500, "P-A")
    with pytest.raises(OverSettled):
        undo(place, charges)
    assert balance(owed.account_id).owed_cents == 0


def test_a_payment_moved_by_mistake_may_be_moved_again(place: Adjusting) -> None:
    office.owe(place.day, "A", 3000)
    office.owe(place.day, "B", 3000)
    payment = place.pay("A", 3000, "P1")
    number = posted(place, "A", "wrong_account", 3000, other_account="B", payment_id=payment)
    undo(place, number)
    posted(place, "A", "wrong_account", 3000, other_account="B", payment_id=payment)
    assert prove(program_actor()).differences == ()
