"""From the application to the certificate: who may do what, in which order, and what it costs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from chamberlain.billing.certificates import operations, queries
from chamberlain.billing.certificates.issuing import StillOwed, certificate_number
from chamberlain.billing.certificates.models import Application, Certificate, FinalRead
from chamberlain.billing.certificates.unbilled import NotPayable
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance, charge
from chamberlain.metering.models import Installation, Read
from tests import office
from tests.billing.certificates_office import (
    CLOSING,
    READ_ON,
    SEEN,
    Desk,
    make_desk,
    without_meter,
)
from tests.cashiering.counter import check, make_counter, pay
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def test_everything_that_an_application_lacks_is_named_at_once(desk):
    empty = operations.NewApplication("", "attorney", "", "", "", "", None)
    with pytest.raises(operations.Incomplete) as refused:
        operations.submit_application(desk.clerk, empty, DAY, NOW, "k")
    fields = [name for name, _ in refused.value.missing]
    assert fields == ["account_number", "applicant", "phone", "seller", "buyer", "attorney_card",
                      "closing_on"]  # fmt: skip
    assert "give the seller's name" in refused.value.sentence
    assert not Application.objects.exists()


@pytest.mark.parametrize("days", [-1, 367])
def test_a_closing_lies_between_today_and_a_year_ahead(desk, days):
    with pytest.raises(operations.Incomplete, match="from today to a year ahead"):
        desk.apply(closing_on=DAY + timedelta(days=days))


def test_a_role_is_buyer_seller_or_attorney(desk):
    with pytest.raises(operations.Incomplete, match="buyer, seller or attorney"):
        desk.apply(role="broker")


def test_the_same_key_gives_the_same_application(desk):
    assert desk.apply() == desk.apply()
    assert Application.objects.count() == 1


def test_an_account_has_one_application_under_way(desk):
    desk.apply()
    with pytest.raises(AlreadyDone, match="under way"):
        desk.apply(key="another")


def test_an_unknown_exemption_is_refused(desk):
    with pytest.raises(Invalid, match="no such exemption"):
        desk.apply(exemption="z")


def test_the_public_page_needs_the_parcel_that_belongs_to_the_account(desk):
    good = replace(desk.asked, parcel_number="14 31 329 021 0000")
    number = operations.submit_application(None, good, DAY, NOW, "k1")
    assert queries.application(number).is_from_public
    said = set()
    for i, wrong in enumerate((
        replace(good, account_number="9999999"),
        replace(good, parcel_number="14-31-329-021-0001"),
        replace(good, parcel_number=""),
    )):  # fmt: skip
        with pytest.raises(NotFound) as refused:
            operations.submit_application(None, wrong, DAY, NOW, f"wrong-{i}")
        said.add(refused.value.sentence)
    assert len(said) == 1


def test_the_fee_is_a_charge_payable_at_any_counter(desk):
    number = desk.apply()
    fee_id = operations.accept_application(desk.clerk, number, SEEN, desk.place.day.pk, NOW)
    fee = charge(fee_id)
    assert (fee.cents, fee.kind, fee.document) == (5000, "fee", number)


def test_an_exempt_transfer_pays_no_fee(desk):
    number = desk.accept(exemption="b")
    assert queries.application(number).fee_cents is None
    assert queries.application(number).exemption == "Government body"


def test_an_application_is_accepted_with_identification_only(desk):
    number = desk.apply(role="attorney", attorney_card="ARDC 6200000")
    day = desk.place.day.pk
    for seen, message in (
        (operations.Identification(government_id=False), "government identity document"),
        (operations.Identification(government_id=True), "bar card"),
    ):
        with pytest.raises(Invalid, match=message):
            operations.accept_application(desk.clerk, number, seen, day, NOW)
    operations.accept_application(desk.clerk, number, SEEN, day, NOW)
    with pytest.raises(AlreadyDone):
        operations.accept_application(desk.clerk, number, SEEN, day, NOW)


def test_nothing_is_accepted_on_a_closed_or_unknown_day(desk):
    number = desk.apply()
    with pytest.raises(NotFound):
        operations.accept_application(desk.clerk, number, SEEN, 0, NOW)
    ledger.seal_business_day(program_actor(), desk.place.day.pk, NOW)
    with pytest.raises(DayClosed):
        operations.accept_application(desk.clerk, number, SEEN, desk.place.day.pk, NOW)
    assert queries.application(number).stage == "received"


def test_a_final_read_is_ordered_for_each_meter_and_taken_by_the_closing(desk):
    number = desk.accept()
    [order] = queries.final_reads(queries.application(number).application_id)
    assert (order.meter_serial, order.wanted_by, order.last_on) == ("M-77120", CLOSING, DAY)
    for day in (DAY - timedelta(days=1), CLOSING + timedelta(days=1)):
        with pytest.raises(Invalid, match="correct the day"):
            operations.record_final_read(desk.clerk, order.order_id, day, 48_034, CLOSING)
    desk.read(number)
    [order] = queries.final_reads(queries.application(number).application_id)
    assert order.read_on == READ_ON
    with pytest.raises(AlreadyDone):
        operations.record_final_read(desk.clerk, order.order_id, READ_ON, 48_034, CLOSING)
    with pytest.raises(NotFound):
        operations.record_final_read(desk.clerk, 0, READ_ON, 48_034, CLOSING)


def test_a_read_that_came_in_with_a_file_is_the_final_read(desk):
    number = desk.accept()
    point = FinalRead.objects.get().agreement.service_point
    Read.objects.create(
        service_point=point, from_on=DAY, to_on=READ_ON, register=48_034, unit="kgal",
        usage_thousandths=2000, quality="actual", source="file",
    )  # fmt: skip
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    assert FinalRead.objects.get().read is not None


def test_without_a_final_read_there_is_no_payoff(desk):
    number = desk.accept()
    with pytest.raises(NotPayable, match="final read"):
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)


def test_an_account_without_a_meter_is_reviewed_before_its_payoff(desk):
    without_meter(desk)
    number = desk.accept()
    day = desk.place.day.pk
    with pytest.raises(NotPayable, match="reviewed first"):
        operations.set_payoff(desk.clerk, number, day, NOW)
    with pytest.raises(Invalid):
        operations.review_account(desk.clerk, number, " ", NOW)
    operations.review_account(desk.clerk, number, "Two hoses, as billed", NOW)
    before = queries.payoff_of(queries.application(number).application_id)
    assert operations.set_payoff(desk.clerk, number, day, NOW) == before.new_cents
    with pytest.raises(AlreadyDone):
        operations.review_account(desk.clerk, number, "again", NOW)


def test_the_payoff_bills_the_final_read_and_an_estimate_up_to_the_closing(desk):
    number = desk.accept()
    desk.read(number)
    payoff = queries.payoff_of(queries.application(number).application_id)
    assert [(b.from_on, b.to_on, b.is_estimate) for b in payoff.bills] == [
        (DAY, READ_ON, False), (READ_ON, CLOSING, True),
    ]  # fmt: skip
    assert operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW) == payoff.new_cents
    bills = Bill.objects.filter(run=None).order_by("from_on")
    assert [(b.from_on, b.to_on, b.total_cents) for b in bills] == [
        (b.from_on, b.to_on, b.cents) for b in payoff.bills
    ]
    after = queries.payoff_of(queries.application(number).application_id)
    assert (after.new_cents, after.open_cents) == (0, payoff.open_cents + payoff.new_cents)
    assert prove(program_actor()).differences == ()


def test_where_all_is_billed_up_to_the_closing_the_payoff_raises_nothing(desk):
    number = desk.accept(closing_on=DAY)
    assert operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW) == 0
    assert queries.application(number).stage == "payable"


def test_without_a_meter_at_the_service_the_final_read_says_so(desk):
    number = desk.accept()
    Installation.objects.all().delete()
    with pytest.raises(NotFound, match="No meter is installed"):
        desk.read(number)


def test_a_usage_that_the_tariff_cannot_rate_is_said(desk):
    number = desk.accept()
    without_meter(desk)
    ServiceAgreement.objects.filter(is_metered=False).update(attributes={"hoses": "many"})
    with pytest.raises(NotPayable, match="whole number"):
        queries.payoff_of(queries.application(number).application_id)


def test_the_board_tells_the_age_and_when_an_application_is_ready(desk):
    number = desk.apply()
    [row] = queries.board(DAY + timedelta(days=3))
    assert (row.application.number, row.age_days, row.misses) == (number, 3, False)
    assert row.ready_on == DAY + timedelta(days=3 + 1 + 5 + 1 + 3 + 1)
    assert queries.board(CLOSING)[0].misses


def test_a_payoff_is_set_once(desk):
    number = desk.payable()
    with pytest.raises(AlreadyDone):
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)


def test_credit_of_the_account_is_used_for_the_payoff(desk):
    number = desk.accept()
    desk.read(number)
    desk.pay_all()
    payment = NewPayment(desk.place.number, 1_000_000, "lockbox", "LB-9")
    post_payment(program_actor(), desk.place.center.pk, payment, NOW, "over")
    before = queries.payoff_of(queries.application(number).application_id)
    assert (before.to_pay_cents, before.less_credit_cents) == (0, -1_000_000)
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    left = balance(desk.place.account.pk)
    assert (left.owed_cents, left.credit_cents) == (0, 1_000_000 - before.new_cents)


def test_a_meter_read_after_the_closing_moves_the_closing(desk):
    number = desk.accept()
    point = FinalRead.objects.get().agreement.service_point
    Read.objects.create(
        service_point=point, from_on=DAY, to_on=CLOSING + timedelta(days=1), unit="kgal",
        usage_thousandths=2000, quality="actual", source="file",
    )  # fmt: skip
    with pytest.raises(NotPayable, match="move the closing date"):
        queries.payoff_of(queries.application(number).application_id)


def test_an_absurd_read_is_looked_at_before_the_payoff(desk):
    number = desk.accept()
    agreement = FinalRead.objects.get().agreement
    agreement.normal_daily_thousandths = 100
    agreement.save()
    desk.read(number, register=60_000)
    with pytest.raises(NotPayable, match="usage is more than 20 times"):
        operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)


def test_a_certificate_is_issued_at_zero_balance_only(desk):
    number = desk.payable()
    with pytest.raises(StillOwed, match=r"\$\d+\.\d\d of what the certificate covers"):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    desk.pay_all()
    made = operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    found = queries.certificate(made)
    assert (found.valid_until, found.closing_on) == (DAY + timedelta(days=60), CLOSING)
    assert found.paid_cents > 5000
    with pytest.raises(AlreadyDone):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)


def test_fee_and_payoff_are_paid_at_any_counter(desk):
    number = desk.payable()
    covered = queries.payoff_of(queries.application(number).application_id)
    items = [(charge.charge_id, charge.open_cents) for charge in covered.open_charges]
    assert {charge.kind for charge in covered.open_charges} == {"fee", "sewer", "water"}
    at_counter = make_counter("PUL")
    pay(at_counter, desk.place.account.pk, items, check(covered.open_cents))
    assert queries.application(number).open_cents == 0
    assert operations.issue_certificate(desk.supervisor, number, DAY, NOW)


def test_a_citation_does_not_hold_a_certificate_up(desk):
    number = desk.payable()
    covered = queries.payoff_of(queries.application(number).application_id)
    payment = NewPayment(
        desk.place.number, covered.open_cents, "lockbox", "LB-2",
        items=tuple((c.charge_id, c.open_cents) for c in covered.open_charges),
    )  # fmt: skip
    post_payment(program_actor(), desk.place.center.pk, payment, NOW, "covered")
    assert balance(desk.place.account.pk).owed_cents == 6000
    assert operations.issue_certificate(desk.supervisor, number, DAY, NOW)


def test_who_accepted_an_application_does_not_issue_its_certificate(desk):
    number = desk.apply()
    operations.accept_application(desk.supervisor, number, SEEN, desk.place.day.pk, NOW)
    desk.read(number)
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    desk.pay_all()
    with pytest.raises(NotPermitted, match="another person"):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    with pytest.raises(NotPermitted, match="needs the role"):
        operations.issue_certificate(desk.clerk, number, DAY, NOW)


def test_the_database_issues_nothing_while_something_is_open(desk):
    number = desk.payable()
    found = Application.objects.get(number=number)
    values = {
        "number": certificate_number(7), "code": "X", "application": found, "closing_on": CLOSING,
        "valid_until": CLOSING, "issued_on": DAY, "issued_at": NOW, "paid_cents": 0,
        "issued_by_id": desk.supervisor.user_id, "accepted_by_id": desk.clerk.user_id,
    }  # fmt: skip
    with pytest.raises(DatabaseError, match="needs everything"), transaction.atomic():
        Certificate.objects.create(**values)
    desk.pay_all()
    with pytest.raises(DatabaseError, match="certificate_issued_by_another"), transaction.atomic():
        Certificate.objects.create(**{**values, "issued_by_id": desk.clerk.user_id})
    made = Certificate.objects.create(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        Certificate.objects.filter(pk=made.pk).update(code="Y")


def test_nothing_is_issued_before_the_payoff_or_after_the_closing(desk):
    number = desk.accept()
    with pytest.raises(Refused, match="no payoff yet"):
        operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    desk.read(number)
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    desk.pay_all()
    late = CLOSING + timedelta(days=1)
    with pytest.raises(Invalid, match="is past"):
        operations.issue_certificate(desk.supervisor, number, late, NOW)


def test_a_certificate_is_verified_by_number_and_code_alone(desk):
    _, made = desk.issued()
    code = Certificate.objects.get(number=made).code
    ask = operations.standing_of
    assert ask(f" {made.lower()} ", f"{code[:4]}-{code[4:]}", DAY) is operations.Standing.VALID
    assert ask(made, "WRONG", DAY) is operations.Standing.UNKNOWN
    assert ask("FPC-000000000", code, DAY) is operations.Standing.UNKNOWN
    assert ask("", "", DAY) is operations.Standing.UNKNOWN
    later = DAY + timedelta(days=60)
    assert ask(made, code, later - timedelta(days=1)) is operations.Standing.VALID
    assert ask(made, code, later) is operations.Standing.OUT_OF_DATE


def test_a_lost_certificate_is_issued_again_and_the_old_one_is_no_longer_valid(desk):
    number, first = desk.issued()
    with pytest.raises(Invalid):
        operations.reissue_certificate(desk.supervisor, number, " ", DAY, NOW)
    second = operations.reissue_certificate(desk.supervisor, number, "Lost", DAY, NOW)
    old, new = (Certificate.objects.get(number=n) for n in (first, second))
    assert (new.replaces, new.valid_until) == (old, old.valid_until)
    ask = operations.standing_of
    assert ask(first, old.code, DAY) is operations.Standing.OUT_OF_DATE
    assert ask(second, new.code, DAY) is operations.Standing.VALID
    with pytest.raises(AlreadyDone, match="expired"):
        operations.reissue_certificate(desk.supervisor, number, "Lost", old.valid_until, NOW)


def test_nothing_is_issued_again_that_was_not_issued(desk):
    number = desk.payable()
    with pytest.raises(AlreadyDone, match="no certificate"):
        operations.reissue_certificate(desk.supervisor, number, "Lost", DAY, NOW)


def test_a_moved_closing_pays_the_days_since_and_replaces_the_certificate(desk):
    number, first = desk.issued()
    later = CLOSING + timedelta(days=30)
    with pytest.raises(Invalid, match="earlier closing too"):
        operations.move_closing(desk.clerk, number, CLOSING, DAY)
    with pytest.raises(Invalid, match="a year ahead"):
        operations.move_closing(desk.clerk, number, DAY + timedelta(days=400), DAY)
    operations.move_closing(desk.clerk, number, later, READ_ON)
    assert queries.application(number).stage == "accepted"
    desk.read(number, register=48_060, on=later)
    payoff = queries.payoff_of(queries.application(number).application_id)
    assert [(b.from_on, b.to_on) for b in payoff.bills] == [(CLOSING, later)]
    operations.set_payoff(desk.clerk, number, desk.place.day.pk, NOW)
    desk.pay_all("again")
    second = operations.issue_certificate(desk.supervisor, number, DAY, NOW)
    assert Certificate.objects.get(number=second).replaces.number == first
    assert len(queries.certificates_of(queries.application(number).application_id)) == 2


def test_a_closing_moved_before_acceptance_orders_nothing(desk):
    number = desk.apply()
    operations.move_closing(desk.clerk, number, CLOSING + timedelta(days=1), DAY)
    assert queries.application(number).stage == "received"
    assert not FinalRead.objects.exists()


def test_a_closing_moved_after_acceptance_orders_the_reads_anew(desk):
    number = desk.accept()
    operations.move_closing(desk.clerk, number, CLOSING + timedelta(days=1), DAY)
    assert FinalRead.objects.get().wanted_by == CLOSING + timedelta(days=1)


def test_a_withdrawn_application_takes_its_unpaid_fee_back(desk):
    before = balance(desk.place.account.pk)
    number = desk.accept()
    day = desk.place.day.pk
    with pytest.raises(Invalid):
        operations.withdraw_application(desk.clerk, number, "", day, NOW)
    operations.withdraw_application(desk.clerk, number, "Sale fell through", day, NOW)
    assert balance(desk.place.account.pk) == before
    with pytest.raises(AlreadyDone):
        operations.withdraw_application(desk.clerk, number, "again", day, NOW)
    with pytest.raises(AlreadyDone, match="withdrawn"):
        operations.move_closing(desk.clerk, number, CLOSING + timedelta(days=1), DAY)
    assert desk.apply(key="anew") != number


def test_a_paid_fee_and_an_exempt_application_are_withdrawn_without_a_refund(desk):
    number = desk.accept()
    desk.pay_all()
    day = desk.place.day.pk
    operations.withdraw_application(desk.clerk, number, "Sale fell through", day, NOW)
    assert balance(desk.place.account.pk).credit_cents == 0
    exempt = desk.accept(key="exempt", exemption="b")
    operations.withdraw_application(desk.clerk, exempt, "Sale fell through", day, NOW)
    assert queries.application(exempt).stage == "withdrawn"
    assert [row.number for row in queries.latest_applications()] == [exempt, number]
    assert queries.count_ended() == 2


def test_a_cashier_takes_applications_and_does_no_more(desk):
    cashier = office.make_actor("casey", Role.CASHIER)
    number = operations.submit_application(cashier, desk.asked, DAY, NOW, "k")
    operations.accept_application(cashier, number, SEEN, desk.place.day.pk, NOW)
    with pytest.raises(NotPermitted):
        operations.set_payoff(cashier, number, desk.place.day.pk, NOW)
    auditor = office.make_actor("alex", Role.AUDITOR)
    with pytest.raises(NotPermitted):
        operations.submit_application(auditor, desk.asked, DAY, NOW, "k2")


def test_what_is_not_there_is_not_found(desk):
    for look in (queries.application, queries.certificate):
        with pytest.raises(NotFound):
            look("FPX-1")
    with pytest.raises(NotFound):
        operations.move_closing(desk.clerk, "FPA-999999", CLOSING, DAY)
    assert queries.applications_of_account(desk.place.account.pk) == []
