"""The daily reconciliation: reopened with a reason, of the whole city, and as PDF."""

import io
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from page import validate_pdf_bytes
from pypdf import PdfReader

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.reconciliation import daily
from chamberlain.reconciliation.daily_paper import center_pdf, city_pdf
from chamberlain.reconciliation.models import Reconciliation, Reopening
from chamberlain.reconciliation.operations import (
    prepare_reconciliation,
    reopen_reconciliation,
    sign_reconciliation,
)
from tests.office import DAY, NOW, make_actor, make_center, open_day
from tests.reconciliation.evening import CARDS, CASH, CHECKS, make_evening

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening():
    made = make_evening(counted_cash=CASH - 300)
    made.deposit_and_close()
    return made


@pytest.fixture
def auditor():
    return make_actor("ada", Role.AUDITOR)


def signed(evening, auditor) -> None:
    prepare_reconciliation(evening.supervisor, evening.day.pk, "a coin roll short", NOW)
    sign_reconciliation(auditor, evening.day.pk, NOW)


def test_a_signature_is_taken_off_with_a_reason_and_kept(evening, auditor):
    with pytest.raises(NotFound):
        reopen_reconciliation(auditor, evening.day.pk, "why", NOW)
    signed(evening, auditor)
    for actor in (evening.cashier, make_actor("stan", Role.CENTER_SUPERVISOR, make_center("WE"))):
        with pytest.raises(NotPermitted):
            reopen_reconciliation(actor, evening.day.pk, "why", NOW)
    with pytest.raises(Invalid, match="Say why"):
        reopen_reconciliation(auditor, evening.day.pk, " ", NOW)
    reopen_reconciliation(auditor, evening.day.pk, "The roll was found", NOW)
    with pytest.raises(Refused, match="not signed"):
        reopen_reconciliation(auditor, evening.day.pk, "again", NOW)
    [kept] = daily.reopenings(evening.day.pk)
    assert (kept.signed_by, kept.reason) == ("Ada", "The roll was found")
    assert Reopening.objects.get().over_short_cents == -300
    prepare_reconciliation(evening.supervisor, evening.day.pk, "found and kept", NOW)
    with pytest.raises(NotPermitted):
        sign_reconciliation(evening.supervisor, evening.day.pk, NOW)
    sign_reconciliation(auditor, evening.day.pk, NOW)
    with pytest.raises(AlreadyDone):
        prepare_reconciliation(evening.supervisor, evening.day.pk, "once more", NOW)


REFUSED = {
    "a signature taken off without a reason": (
        "UPDATE reconciliation_reconciliation SET signed_at = NULL, signed_by_id = NULL"
    ),
    "figures changed with it": (
        "UPDATE reconciliation_reconciliation SET signed_at = NULL, signed_by_id = NULL, "
        "bank_cents = bank_cents + 1"
    ),
    "what was signed forgotten": "DELETE FROM reconciliation_reopening",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_database_refuses(evening, auditor, statement):
    signed(evening, auditor)
    if "reopening" in statement:
        reopen_reconciliation(auditor, evening.day.pk, "why", NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Reconciliation.objects.count() == 1


def test_the_citys_day_adds_its_centers_up(evening):
    west = make_center("WE")
    open_day(west)
    city = daily.city_day(DAY)
    assert [part.state for part in city.centers] == ["to prepare", "open"]
    by_tender = {row.tender_kind: row for row in city.tenders}
    assert by_tender["cash"].receipts_cents == CASH
    assert by_tender["cash"].counted_cents == CASH - 300
    assert by_tender["card"].counted_cents is None
    assert [(s.name, s.cents) for s in city.sources] == [("Water", CASH + CHECKS + CARDS)]
    center = city.centers[0].view.center_name
    assert city.differences[0].sentence == f"{center}: The tills were $3.00 short."
    with pytest.raises(NotFound):
        daily.city_day(DAY + timedelta(days=30))


def test_both_are_papers_that_everybody_can_read(evening, auditor):
    signed(evening, auditor)
    for made in (
        center_pdf(daily.center_part(evening.day.pk), NOW),
        city_pdf(daily.city_day(DAY), NOW),
    ):
        assert validate_pdf_bytes(made, profile="ua1").is_compliant
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
        assert "The tills were $3.00 short." in text
        assert "Cash (differs)" in text
        assert "signed by Ada" in text
