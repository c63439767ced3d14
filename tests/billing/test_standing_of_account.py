"""Two clerks on one account: the second is told what changed, and nothing of theirs is done."""

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.standing_of_account import Changed, as_seen, standing_now
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.models import Entry
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.registry.models import Customer
from tests.office import DAY, NOW
from tests.web.scenes import Office, furnished_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Office:
    return furnished_office()


def pay(place: Office, cents: int, key: str) -> int:
    payment = NewPayment(place.number, cents, "lockbox", f"LB-{key}")
    return post_payment(program_actor(), place.center.pk, payment, NOW, key)[0].payment_id


def refused(place: Office, seen: str) -> str:
    """What the second clerk is told; what they wanted was not done."""
    before = Customer.objects.count()
    with pytest.raises(Changed) as told, as_seen(place.account.pk, seen):
        Customer.objects.create(kind="person", name="Never")
    assert Customer.objects.count() == before
    return told.value.sentence


def test_an_account_that_did_not_change_is_worked_on(place: Office) -> None:
    seen = standing_now(place.account.pk).seen
    with as_seen(place.account.pk, seen):
        made = pay(place, 100, "inside")
    assert Entry.objects.filter(pk=made).exists()


def test_the_difference_is_said_with_who_posted_it(place: Office) -> None:
    seen = standing_now(place.account.pk)
    pay(place, 2_500, "late")
    said = refused(place, seen.seen)
    owed = f"${seen.owed_cents / 100:,.2f}"
    assert f"it owed {owed} and owes ${(seen.owed_cents - 2500) / 100:,.2f} now" in said
    assert "payment LB-late over $25.00 by Chamberlain on March 2 at 9:00 AM" in said
    assert said.endswith("Nothing was done; look at it and send the form again.")


def test_credit_and_many_entries_are_said_shortly(place: Office) -> None:
    seen = standing_now(place.account.pk)
    for number in range(5):
        pay(place, seen.owed_cents, f"n{number}")
    said = refused(place, seen.seen)
    assert f"its credit was $0.00 and is ${4 * seen.owed_cents / 100:,.2f}" in said
    assert "LB-n4" in said
    assert "LB-n1" not in said
    assert "; and more." in said


def test_what_was_posted_and_taken_back_is_said_too(place: Office) -> None:
    seen = standing_now(place.account.pk)
    made = pay(place, 300, "gone")
    reverse_entry(program_actor(), made, place.day.pk, NOW, kind="return", reason="bounced")
    said = refused(place, seen.seen)
    assert "it owed" not in said
    assert "payment LB-gone over $3.00" in said
    assert "return LB-gone over $3.00" in said


def test_other_terms_and_holders_are_a_change(place: Office) -> None:
    seen = standing_now(place.account.pk)
    ServiceAgreement.objects.update(period=DateRange(DAY.replace(year=2020), DAY))
    assert "who holds it or what bills it was changed" in refused(place, seen.seen)


@pytest.mark.parametrize(
    "seen", ["", "1.2.3", "1.0.0.0.zzzzzzzzzzzzzzzz", "-1.0.0.0.0000000000000000"]
)
def test_a_form_that_does_not_say_what_it_saw_does_nothing(place: Office, seen: str) -> None:
    assert "does not say how the account stood" in refused(place, seen)
