"""No certificate on an account whose days are not all billed, or that is not the property's."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.certificates import applications, operations, queries
from chamberlain.billing.certificates.models import Application, Certificate
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.occupancy import move_out
from chamberlain.billing.rebilling import operations as rebilling
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone, Refused
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import Entry
from chamberlain.ledger.posting import Leg, NewEntry, lock_balances, post
from chamberlain.ledger.queries import open_charges
from chamberlain.metering.models import Meter
from chamberlain.metering.operations import record_read
from chamberlain.registry.models import AccountHolding
from chamberlain.registry.operations import NewCustomer
from tests.billing.certificates_office import CLOSING, READ_ON, SEEN, Desk, make_desk
from tests.billing.rebilling_scenes import one_bill, take_back
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def test_a_bill_that_was_taken_back_is_nothing_to_a_certificate(desk):
    number = desk.payable()
    take_back(Bill.objects.earliest("from_on").number, desk.place.day.pk)
    desk.pay_all()
    operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    assert Certificate.objects.exists()


def test_a_bill_of_the_payoff_that_was_taken_back_is_billed_again_first(desk):
    number = desk.payable()
    bill = Bill.objects.latest("from_on")
    take_back(bill.number, desk.place.day.pk)
    desk.pay_all()
    with pytest.raises(Refused, match=f"Bill {bill.number} of the payoff was taken back"):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    again = one_bill(bill.number, Corrections(bills_again=(bill.number,)), "again")
    rebilling.post_rebill(program_actor(), again, desk.place.day.pk, DAY, NOW)
    desk.pay_all("what the citation left")
    operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    assert Certificate.objects.exists()


def test_an_account_given_up_before_the_closing_gets_no_certificate(desk):
    applied = desk.apply()
    out = CLOSING - timedelta(days=1)
    move_out(desk.clerk, desk.place.account.pk, out, DAY)
    with pytest.raises(Refused, match="given up on"):
        operations.accept_application(desk.clerk, applied, SEEN, desk.place.day.pk, NOW)
    operations.withdraw_application(desk.clerk, applied, "Wrong account", desk.place.day.pk, NOW)
    with pytest.raises(Refused, match="given up on"):
        desk.apply(key="again")
    assert desk.apply(key="sooner", closing_on=out)


def test_an_account_given_up_while_the_application_is_worked_on_goes_no_further(desk):
    number = desk.accept()
    desk.read(number)
    AccountHolding.objects.update(period=DateRange(DAY, CLOSING - timedelta(days=1)))
    with pytest.raises(Refused, match="given up on"):
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    AccountHolding.objects.update(period=DateRange(DAY, CLOSING))
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    desk.pay_all()
    AccountHolding.objects.update(period=DateRange(DAY, CLOSING - timedelta(days=1)))
    with pytest.raises(Refused, match="given up on"):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)


def test_after_the_deed_the_certificate_is_neither_moved_nor_issued_again(desk):
    number, _ = desk.issued()
    today = CLOSING + timedelta(days=5)
    deed = operations.Deed("2608012345", CLOSING, NewCustomer("Jan Novak"))
    operations.apply_deed(desk.clerk, number, deed, today, NOW)
    with pytest.raises(AlreadyDone, match="the property is the buyer's"):
        operations.move_closing(desk.clerk, number, today + timedelta(days=30), today)
    with pytest.raises(AlreadyDone, match="the property is the buyer's"):
        operations.reissue_certificate(desk.supervisor, number, "Lost", today, NOW)


def test_the_same_key_sent_twice_at_once_is_one_application(desk, monkeypatch):
    first: list[str] = []

    def lock_after_the_other(account_ids: list[int]) -> None:
        monkeypatch.setattr(applications, "lock_balances", lock_balances)
        first.append(desk.apply(key="same"))
        lock_balances(account_ids)

    monkeypatch.setattr(applications, "lock_balances", lock_after_the_other)
    assert desk.apply(key="same") == first[0]
    assert Application.objects.count() == 1


def test_a_service_that_ended_unread_before_the_closing_is_billed_first(desk):
    agreement = ServiceAgreement.objects.get()
    agreement.period = DateRange(agreement.period.lower, READ_ON)
    agreement.save()
    number = desk.accept()
    operations.review_account(desk.clerk, number, "The meter was taken out", NOW)
    with pytest.raises(Refused, match="make the final bill first"):
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    serial = Meter.objects.get().serial
    record_read(desk.clerk, serial, READ_ON, 48_034, READ_ON)
    assert operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW) > 0


def test_a_certificate_whose_payment_was_taken_back_is_not_valid_until_it_is_paid(desk):
    number, made = desk.issued()
    code = Certificate.objects.get().code
    payment = Entry.objects.filter(kind="payment").latest("pk")
    ledger.reverse_entry(
        program_actor(), payment.pk, desk.place.day.pk, NOW, kind="void", reason="Returned"
    )
    assert operations.standing_of(made, code, DAY) is operations.Standing.WITHHELD
    deed = operations.Deed("2608012345", CLOSING, NewCustomer("Jan Novak"))
    with pytest.raises(Refused, match="open again"):
        operations.apply_deed(desk.clerk, number, deed, CLOSING + timedelta(days=5), NOW)
    desk.pay_all("again")
    assert operations.standing_of(made, code, DAY) is operations.Standing.VALID


def test_what_was_settled_without_money_is_shown_to_who_issues(desk):
    number = desk.payable()
    application = Application.objects.get(number=number)
    charge = open_charges([desk.place.account.pk])[0]
    chart.ensure_adjusting_accounts({"write_off": "Write-off"})
    loss = chart.ledger_account_id(chart.adjustment_code("write_off"))
    of = chart.charge_kinds()[charge.kind]
    leg = Leg(loss, of.receivable_id, 700, "settle", charge.account_id, charge.charge_id)
    user = program_actor().user_id
    entry = post(
        NewEntry(desk.place.day.pk, "adjustment", user, NOW, "ADJ-000001", [leg], "Hardship")
    )
    [shown] = queries.payoff_of(application.pk).forgiven
    assert (shown.entry_id, shown.document, shown.cents) == (entry, "ADJ-000001", 700)
