"""A day prepared by one person and signed by another."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.reconciliation import queries
from chamberlain.reconciliation.models import Reconciliation
from chamberlain.reconciliation.operations import (
    match_deposits,
    prepare_reconciliation,
    read_bank_file,
    sign_reconciliation,
)
from tests.office import DAY, NOW, make_actor, make_center, open_day
from tests.reconciliation.bank import Line, statement
from tests.reconciliation.evening import CARDS, CASH, CHECKS, Evening, make_evening

pytestmark = pytest.mark.django_db

TOTAL = CASH + CHECKS + CARDS


@pytest.fixture
def evening() -> Evening:
    evening = make_evening()
    evening.deposit_and_close()
    return evening


def match_all(evening: Evening) -> None:
    day = open_day(evening.center, DAY + timedelta(days=1))
    read_bank_file(
        evening.supervisor, "bank", statement(Line(CASH), Line(CHECKS), Line(CARDS)), NOW
    )
    match_deposits(evening.supervisor, day.pk, NOW)


def test_a_day_that_agrees_is_prepared_and_signed_by_another(evening):
    match_all(evening)
    prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    view = queries.reconciliation(evening.day.pk)
    assert view.differences == ()
    assert view.figures.agrees
    assert (view.figures.receipts_cents, view.figures.bank_cents) == (TOTAL, TOTAL)
    assert (view.prepared_by, view.signed_by) == ("Sue-Ch", "")
    sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)
    view = queries.reconciliation(evening.day.pk)
    assert (view.signed_by, view.signed_at) == ("Tom-Ch", NOW)
    with pytest.raises(AlreadyDone, match="signed already"):
        sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)
    with pytest.raises(AlreadyDone, match="it stays as it is"):
        prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Reconciliation.objects.update(note="changed")


def test_differences_come_first_and_need_a_note():
    evening = make_evening(counted_cash=CASH - 500)
    evening.deposit_and_close()
    view = queries.reconciliation(evening.day.pk)
    assert view.differences[0].sentence == "The tills were $5.00 short."
    assert [d.cents for d in view.differences[1:]] == [-(CASH - 500), -CHECKS, -CARDS]
    assert "is not on a bank statement yet" in view.differences[1].sentence
    with pytest.raises(Invalid, match="say in the note why"):
        prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    prepare_reconciliation(evening.supervisor, evening.day.pk, "$5.00 given out too much", NOW)
    assert queries.reconciliation(evening.day.pk).note == "$5.00 given out too much"


def test_a_float_that_is_short_shows_as_deposited_less_was_not_possible():
    evening = make_evening(counted_cash=0)
    view = queries.reconciliation(evening.day.pk)
    assert view.figures.deposit_difference_cents == -(CHECKS + CARDS)
    assert "Deposits differ by -$153.00" in view.differences[1].sentence


def test_the_preparer_does_not_sign(evening):
    prepare_reconciliation(evening.supervisor, evening.day.pk, "not at the bank yet", NOW)
    with pytest.raises(NotPermitted, match="another person"):
        sign_reconciliation(evening.supervisor, evening.day.pk, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reconciliation.objects.update(signed_by_id=evening.supervisor.user_id, signed_at=NOW)


def test_figures_that_changed_since_are_prepared_again(evening):
    prepare_reconciliation(evening.supervisor, evening.day.pk, "not at the bank yet", NOW)
    match_all(evening)
    with pytest.raises(Refused, match="have changed"):
        sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)
    prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)


def test_preparing_and_signing_are_refused_when_they_cannot_be():
    evening = make_evening()
    with pytest.raises(Refused, match="is still open"):
        prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    with pytest.raises(Invalid, match="more than 400"):
        prepare_reconciliation(evening.supervisor, evening.day.pk, "x" * 401, NOW)
    with pytest.raises(NotFound, match="not prepared yet"):
        sign_reconciliation(evening.supervisor, evening.day.pk, NOW)
    with pytest.raises(NotFound):
        prepare_reconciliation(evening.supervisor, 10**9, "", NOW)
    with pytest.raises(NotFound):
        queries.reconciliation(10**9)
    stranger = make_actor("stan", Role.CENTER_SUPERVISOR, make_center("WE"))
    for actor in (stranger, evening.cashier):
        with pytest.raises(NotPermitted):
            prepare_reconciliation(actor, evening.day.pk, "", NOW)
        with pytest.raises(NotPermitted):
            sign_reconciliation(actor, evening.day.pk, NOW)


def test_the_list_shows_how_far_each_day_is(evening):
    tomorrow = open_day(evening.center, DAY + timedelta(days=1))

    def states() -> list[str]:
        return [row.state for row in queries.reconciliations()]

    assert states() == ["open", "to prepare"]
    assert queries.reconciliations()[0].business_day_id == tomorrow.pk
    prepare_reconciliation(evening.supervisor, evening.day.pk, "note", NOW)
    assert states() == ["open", "to sign"]
    sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)
    assert states() == ["open", "signed"]
