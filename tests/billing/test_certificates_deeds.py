"""When the deed comes in, ownership and service pass to the buyer, all or nothing."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from chamberlain.billing.certificates import operations, queries
from chamberlain.billing.certificates.models import DeedTransfer
from chamberlain.billing.deposits.models import Deposit
from chamberlain.billing.deposits.operations import ask_deposit
from chamberlain.billing.deposits.terms import Requirement, Terms, load_deposit_terms
from chamberlain.billing.finals import queries as finals
from chamberlain.billing.finals.operations import make_final_bill
from chamberlain.billing.models import ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotPermitted, Refused
from chamberlain.registry import operations as registry
from chamberlain.registry.models import AccountHolding, Property
from chamberlain.registry.operations import NewCustomer
from chamberlain.registry.ownership import record_ownership
from chamberlain.registry.queries import account_summary, owners
from tests import office
from tests.billing.certificates_office import CLOSING, Desk, make_desk
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db

BUYER = NewCustomer("Jan Novak")
TODAY = CLOSING + timedelta(days=5)


@pytest.fixture
def desk() -> Desk:
    made = make_desk()
    seller = AccountHolding.objects.get().customer_id
    record_ownership(program_actor(), Property.objects.get().pk, seller, date(2020, 1, 1))
    return made


def deed(number: str = "2608012345", owned_from: date = CLOSING) -> operations.Deed:
    return operations.Deed(number, owned_from, BUYER)


def test_the_buyer_owns_from_the_deed_and_is_billed_from_the_closing(desk):
    number, _ = desk.issued()
    day = CLOSING + timedelta(days=1)
    account = operations.apply_deed(desk.clerk, number, deed(owned_from=day), TODAY, NOW)
    place = Property.objects.get().pk
    assert [o.name for o in owners(place, day)] == ["Jan Novak"]
    assert [o.name for o in owners(place, CLOSING)] == ["Maria Kowalski"]
    old, new = ServiceAgreement.objects.order_by("pk")
    assert (old.period.upper, new.period.lower, new.account.number) == (CLOSING, CLOSING, account)
    assert account_summary(desk.place.number).held_until == CLOSING
    found = queries.application(number)
    assert (found.deed, found.buyer_account) == ("2608012345", account)


def test_the_sellers_deposit_comes_back_with_a_final_bill_that_is_asked_for(desk):
    terms = Terms(
        date(2010, 1, 1), 30, 12, 5, 365, (Requirement((), "any", 7_500, is_per_unit=False),),
        "chosen for the test", is_verified=False,
    )  # fmt: skip
    load_deposit_terms(program_actor(), [terms], (), "Customer deposit", 16)
    deposit = ask_deposit(desk.clerk, desk.place.number, desk.place.day.pk, NOW, "deposit")
    number, _ = desk.issued()
    operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)
    assert Deposit.objects.get(number=deposit).closed_on is None
    [row] = finals.move_outs_of_account(desk.place.account.pk)
    assert (row.state, row.left_on) == ("to_bill", CLOSING)
    made = make_final_bill(desk.clerk, row.move_out_id, desk.place.day.pk, NOW)
    assert (made.bill_numbers, made.deposit_cents) == ((), 7_500)
    assert Deposit.objects.get(number=deposit).closed_on == DAY


def test_a_seller_without_a_deposit_needs_no_final_bill(desk):
    number, _ = desk.issued()
    operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)
    assert finals.move_outs_of_account(desk.place.account.pk) == []


def test_a_deed_is_applied_once(desk):
    number, _ = desk.issued()
    operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)
    with pytest.raises(AlreadyDone, match="on application"):
        operations.apply_deed(desk.clerk, number, deed("2608099999"), TODAY, NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        DeedTransfer.objects.update(deed="x")


def test_a_deed_of_another_property_is_not_used_again(desk):
    number, _ = desk.issued()
    operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)
    other = registry.open_account(
        program_actor(), registry.register_customer(program_actor(), "person", "Li Wei"), None, DAY
    )
    another = desk.apply(key="other", account_number=_number(other))
    with pytest.raises(AlreadyDone, match="Deed 2608012345"):
        operations.apply_deed(desk.clerk, another, deed(), TODAY, NOW)


def _number(account_id: int) -> str:
    return AccountHolding.objects.get(account_id=account_id).account.number


def test_an_account_for_no_property_has_nothing_to_transfer(desk):
    number, _ = desk.issued()
    AccountHolding.objects.update(property=None)
    with pytest.raises(Refused, match="no property"):
        operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (deed(" "), "recorder's number"),
        (deed(owned_from=TODAY + timedelta(days=1)), "not come yet"),
        (deed(owned_from=DAY - timedelta(days=1)), "was good from"),
    ],
)
def test_a_deed_that_cannot_be_changes_nothing(desk, wrong, message):
    number, _ = desk.issued()
    with pytest.raises(Invalid, match=message):
        operations.apply_deed(desk.clerk, number, wrong, TODAY, NOW)
    assert not DeedTransfer.objects.exists()


def test_without_a_certificate_no_deed_is_applied(desk):
    number = desk.payable()
    with pytest.raises(Refused, match="no certificate yet"):
        operations.apply_deed(desk.clerk, number, deed(), TODAY, NOW)


def test_a_transfer_that_fails_half_way_leaves_the_owner_as_it_was(desk):
    number, _ = desk.issued()
    far = CLOSING + timedelta(days=400)
    with pytest.raises(Invalid, match="more than a year away"):
        operations.apply_deed(desk.clerk, number, deed(), far, NOW)
    assert [o.name for o in owners(Property.objects.get().pk, CLOSING)] == ["Maria Kowalski"]


def test_a_cashier_applies_no_deed(desk):
    number, _ = desk.issued()
    with pytest.raises(NotPermitted):
        operations.apply_deed(office.make_actor("casey", Role.CASHIER), number, deed(), TODAY, NOW)
