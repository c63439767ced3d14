"""Documents that the program makes are PDF/UA-1, as a validator that is not Typst says."""

from datetime import date

import pytest
from page import validate_pdf_bytes

from chamberlain.billing.certificates.documents import certificate_pdf
from chamberlain.billing.comparing.analysis import analysis
from chamberlain.billing.comparing.documents import analysis_pdf, letter_pdf
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.documents import bill_pdf
from chamberlain.billing.plans.documents import plan_pdf
from chamberlain.billing.plans.queries import plan_view
from chamberlain.cashiering.paper import receipt_pdf
from chamberlain.identity.models import Role
from chamberlain.reconciliation.tracing import way_of_payment
from chamberlain.reconciliation.tracing_paper import way_pdf
from tests.billing.certificates_office import make_desk
from tests.billing.plan_office import load_terms, offered
from tests.cashiering.counter import cash, make_counter, pay
from tests.office import DAY, make_actor, make_center, open_day, owe
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.django_db


def assert_accessible_pdf(pdf):
    report = validate_pdf_bytes(pdf, profile="ua1")
    assert report.is_compliant, [(each.rule_id, each.message) for each in report.failures]


def test_bills_one_and_many():
    bills = furnished_office().bills
    assert_accessible_pdf(bill_pdf([bills[0].pk]))
    assert_accessible_pdf(bill_pdf([bill.pk for bill in bills]))
    assert_accessible_pdf(bill_pdf([bills[0].pk], "es"))


def test_why_a_bill_is_this_much_and_the_analysis():
    place = furnished_office()
    assert_accessible_pdf(letter_pdf(why(place.bills[-1].number), DAY))
    found = analysis(place.account.pk, date(2025, 1, 1), DAY)
    assert_accessible_pdf(analysis_pdf(found, (place.number, "Maria", "2214 W Cortland St"), DAY))


def test_a_payment_plan():
    load_terms()
    clerk = make_actor("cleo", Role.CLERK)
    plan = offered(clerk, owe(open_day(make_center()), "100", 20_000))
    assert_accessible_pdf(plan_pdf(plan_view(plan.number, DAY), "Maria Kowalski"))


def test_a_certificate():
    _, number = make_desk().issued()
    assert_accessible_pdf(certificate_pdf(number, "https://office.example"))


def test_a_receipt_and_its_copy():
    counter = make_counter()
    owed = owe(counter.day, "A1", 4000)
    view = pay(counter, owed.account_id, [(owed.charge_ids[0], 4000)], cash(4000))
    assert_accessible_pdf(receipt_pdf(view))
    assert_accessible_pdf(receipt_pdf(view, is_copy=True))
    assert_accessible_pdf(way_pdf(way_of_payment(view.receipt_id), DAY))
