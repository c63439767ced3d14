"""A bill goes where the account's mail goes on the day it is issued."""

import io
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from chamberlain.billing.bill_words import previous_said
from chamberlain.billing.documents import bill_pdf
from chamberlain.billing.queries import bill
from chamberlain.identity.actors import program_actor
from chamberlain.registry import preferences
from chamberlain.registry.queries import account_summary
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.django_db


def words_of(bill_id: int, language: str = "") -> str:
    pages = PdfReader(io.BytesIO(bill_pdf([bill_id], language))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_bill_names_the_place_of_service_apart_from_where_it_is_mailed():
    place = furnished_office()
    first, _, last = place.bills
    preferences.mail_elsewhere(
        program_actor(),
        place.account.pk,
        "Lakeside Management",
        "1 W Lake St",
        "60601",
        date(2026, 2, 15),
    )
    mailed = words_of(last.pk)
    assert "Lakeside Management 1 W Lake St, 60601" in mailed
    assert "at 2214 W Cortland St, 60647" in mailed
    before = words_of(first.pk)
    assert "Lakeside" not in before
    assert "Maria Kowalski 2214 W Cortland St, 60647" in before
    assert " at 2214" not in before


def test_a_bill_speaks_its_holders_language_and_says_the_code_in_both() -> None:
    place = furnished_office()
    made = place.bills[-1]
    holder = account_summary(place.number).customer_id
    assert holder is not None
    english, spanish = "What this bill is for", "De qué es esta factura"
    assert english in words_of(made.pk)
    assert spanish not in words_of(made.pk)
    preferences.choose_mail(program_actor(), holder, "es", False)
    printed = words_of(made.pk)
    assert spanish in printed
    assert english not in printed
    assert "No comparta el código" in printed
    assert "Keep the code to yourself" in printed
    assert "60 días" in printed
    assert english in words_of(made.pk, "en")
    preferences.choose_mail(program_actor(), holder, "pl", False)
    assert english in words_of(made.pk)


def test_a_credit_larger_than_the_bill_is_not_an_amount_to_pay() -> None:
    place = furnished_office()
    row = bill(place.bills[-1].number)
    said = [
        previous_said(replace(row, previous_balance_cents=before))
        for before in (-row.total_cents - 5_508, -1_000, 1_000, 0)
    ]
    assert said[0].endswith("pays this bill; $55.08 of it is left for the next.")
    assert said[1].endswith("is left to pay.")
    assert "$10.00 is owed" in said[2]
    assert said[3] == "Nothing was owed from before this bill."
