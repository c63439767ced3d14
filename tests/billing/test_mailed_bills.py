"""A bill goes where the account's mail goes on the day it is issued."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from chamberlain.billing.documents import bill_pdf
from chamberlain.identity.actors import program_actor
from chamberlain.registry import preferences
from tests.web.scenes import furnished_office

pytestmark = pytest.mark.django_db


def words_of(bill_id: int) -> str:
    pages = PdfReader(io.BytesIO(bill_pdf([bill_id]))).pages
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
