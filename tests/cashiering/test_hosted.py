"""Payments on a provider's page are posted once, and never as something else than was paid."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from chamberlain.billing.access.queries import held_by_number, own_charges
from chamberlain.cashiering.hosted import operations, queries
from chamberlain.cashiering.hosted.models import Intent, Notice
from chamberlain.cashiering.hosted.operations import Back, hear, start_payment
from chamberlain.cashiering.hosted.provider import Asked, NotGenuine, NotReached, Session, Told
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, NotPermitted
from chamberlain.ledger import chart
from chamberlain.ledger.models import Entry
from chamberlain.ledger.operations import open_business_day, seal_business_day
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.registry import operations as registry
from tests import office
from tests.cashiering.hosted_office import (
    PROVIDER,
    load_terms,
    notice,
    resident_of,
    sent_intent,
    signed,
)
from tests.office import DAY, NOW
from tests.web.scenes import Office, citation, furnished_office

pytestmark = pytest.mark.django_db
BACK = Back("http://here/return", "http://here/notices", "Utility bill", "en")


class Page:
    """A provider at the end of a wire that a test holds: it answers what it was told to."""

    origin = "http://provider"

    def __init__(self, told: Told | None = None) -> None:
        self.told = told
        self.asked: list[Asked] = []

    def create_session(self, asked: Asked) -> Session:
        self.asked.append(asked)
        return Session("session-1", "http://provider/pay/session-1")

    def read_notice(self, signature: str, body: bytes, now: object) -> Told:
        raise AssertionError

    def fetch(self, session_id: str) -> Told:
        if self.told is None:
            raise NotReached("The provider is away.")
        return self.told


@pytest.fixture
def place() -> Office:
    load_terms()
    return furnished_office()


def heard(body: bytes, at=NOW) -> str:
    return hear(PROVIDER.read_notice(signed(body, at), body, at), at)


def clearing() -> int:
    from chamberlain.ledger.statements import general_ledger

    code = chart.clearing_code("processor")
    return next(row.balance_cents for row in general_ledger() if row.code == code)


def test_a_payment_settles_the_holders_charges_once_and_stands_in_the_processors_account(place):
    of = resident_of(place)
    before = balance(of.account_id).owed_cents
    body = notice(sent_intent(of))
    assert heard(body) == "posted"
    assert heard(body) == "nothing_new"
    assert heard(notice(Intent.objects.get(), "event-2")) == "nothing_new"
    assert balance(of.account_id).owed_cents == before - 5_000
    assert clearing() == 5_000
    intent = Intent.objects.get()
    assert intent.status == "posted"
    assert intent.entry.document == "PAY-1"
    assert not prove(program_actor()).differences


def test_more_than_is_owed_becomes_credit(place):
    of = resident_of(place)
    owed = balance(of.account_id).owed_cents
    assert heard(notice(sent_intent(of, owed + 700))) == "posted"
    assert balance(of.account_id).owed_cents == 0
    assert balance(of.account_id).credit_cents == 700
    assert heard(notice(sent_intent(of, 900, "pay-2"), "event-2", payment="PAY-2")) == "posted"
    assert balance(of.account_id).credit_cents == 1_600


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        ({"amount": 4_999}, "wrong_amount"),
        ({"currency": "EUR"}, "wrong_currency"),
        ({"reference": "CP-other"}, "unknown"),
        ({"id": "another session"}, "unknown"),
    ],
)
def test_a_payment_that_is_not_the_one_set_out_is_kept_for_a_person_and_posts_nothing(
    place, wrong, outcome
):
    intent = sent_intent(resident_of(place))
    entries = Entry.objects.count()
    assert heard(notice(intent, **wrong)) == outcome
    assert Entry.objects.count() == entries
    assert Intent.objects.get().status == "sent"
    [row] = queries.to_look_at()
    assert row.provider_payment == "PAY-1"
    assert queries.count_to_look_at() == 1


def test_a_decline_is_not_paid_and_money_that_comes_after_it_is_posted(place):
    intent = sent_intent(resident_of(place))
    assert heard(notice(intent, status="failed", payment="")) == "failed"
    assert Intent.objects.get().status == "failed"
    assert heard(notice(intent, "event-2")) == "posted"
    assert heard(notice(intent, "event-3", status="failed", payment="")) == "nothing_new"
    assert heard(notice(intent, "event-4", status="open", payment="")) == "nothing_new"
    assert Intent.objects.get().status == "posted"


def test_a_second_payment_of_one_page_is_for_a_person_to_look_at(place):
    intent = sent_intent(resident_of(place))
    assert heard(notice(intent)) == "posted"
    assert heard(notice(intent, "event-2", payment="PAY-2")) == "paid_again"
    assert clearing() == 5_000


def test_a_notice_is_taken_only_with_a_signature_of_the_last_minutes(place):
    body = notice(sent_intent(resident_of(place)))
    right = signed(body)
    for signature, at in (
        (signed(body, secret="another"), NOW),
        (right, NOW + timedelta(minutes=6)),
        (right, NOW - timedelta(minutes=6)),
        (right.replace("t=", "t=1"), NOW),
        ("", NOW),
        ("t=x,v1=é", NOW),
    ):
        with pytest.raises(NotGenuine):
            PROVIDER.read_notice(signature, body, at)
    with pytest.raises(NotGenuine):
        PROVIDER.read_notice(right, body.replace(b"5000", b"5001"), NOW)
    assert PROVIDER.read_notice(right, body, NOW).cents == 5_000


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{", b'{"id": "e"}', b'{"id": "e", "session": 3}',
        b'{"id": "e", "session": {"id": "s", "reference": "r", "status": "paid", "amount": 1.5,'
        b' "currency": "USD", "payment": "P"}}',
        b'{"id": "e", "session": {"id": "s", "reference": "r", "status": "paid", "amount": 5,'
        b' "currency": "USD", "payment": ""}}',
        b'{"id": "e", "session": {"id": "s", "reference": "r", "status": "odd", "amount": 5,'
        b' "currency": "USD"}}',
    ],
)  # fmt: skip
def test_a_signed_notice_that_is_not_written_as_agreed_is_refused(body):
    with pytest.raises(NotGenuine, match="not written as agreed"):
        PROVIDER.read_notice(signed(body), body, NOW)


def test_without_an_open_day_a_payment_waits_and_is_posted_on_the_next(place):
    of = resident_of(place)
    intent = sent_intent(of)
    seal_business_day(program_actor(), place.day.pk, NOW)
    assert heard(notice(intent)) == "waits"
    assert [each.pk for each in queries.waiting_of(of.account_id)] == [intent.pk]
    later = NOW + timedelta(days=1)
    assert operations.look_after(program_actor(), PROVIDER, later) == 0
    open_business_day(program_actor(), place.center.pk, DAY + timedelta(days=1), later)
    assert operations.look_after(program_actor(), PROVIDER, later) == 1
    assert operations.look_after(program_actor(), PROVIDER, later) == 0
    assert Intent.objects.get().status == "posted"


def test_a_lost_notice_is_made_up_for_by_asking(place):
    intent = sent_intent(resident_of(place))
    told = Told("", intent.session_id, intent.reference, "paid", 5_000, "USD", "PAY-9")
    assert operations.ask_provider(intent, Page(told), NOW).status == "posted"
    assert heard(notice(intent, payment="PAY-9")) == "nothing_new"
    other = sent_intent(resident_of(place), 600, "pay-2")
    wrong = Told("", other.session_id, other.reference, "paid", 700, "USD", "PAY-10")
    for _ in range(2):
        assert operations.ask_provider(other, Page(wrong), NOW).status == "sent"
    assert queries.count_to_look_at() == 1
    later = NOW + timedelta(hours=1)
    assert operations.look_after(program_actor(), Page(None), later) == 0


def test_a_payment_that_nobody_heard_of_is_asked_about_every_day_for_two_months(place):
    intent = sent_intent(resident_of(place))
    told = Told("", intent.session_id, intent.reference, "paid", 5_000, "USD", "PAY-9")

    def looked(after: timedelta, answer: Told | None = None) -> int:
        return operations.look_after(program_actor(), Page(answer), intent.created_at + after)

    assert looked(timedelta(days=61, minutes=5), told) == 0
    assert looked(timedelta(days=40, hours=3), told) == 0
    assert looked(timedelta(days=40, minutes=5)) == 0
    assert looked(timedelta(days=40, minutes=5), told) == 1


def test_setting_out_asks_for_one_page_within_the_limits(place):
    of, provider = resident_of(place), Page()
    intent = start_payment(of, 5_000, BACK, provider, NOW, "key")
    assert intent.page_url == "http://provider/pay/session-1"
    assert start_payment(of, 5_000, BACK, provider, NOW, "key").pk == intent.pk
    assert len(provider.asked) == 1
    assert of.account_number not in repr(provider.asked)
    with pytest.raises(AlreadyDone):
        start_payment(of, 6_000, BACK, provider, NOW, "key")
    for cents in (499, 500_001, 0, -5):
        with pytest.raises(operations.NotAllowed, match=r"from \$5.00 to \$5,000.00"):
            start_payment(of, cents, BACK, provider, NOW, "other")
    with pytest.raises(NotReached):
        start_payment(of, 5_000, BACK, PROVIDER, NOW, "third")


def test_a_new_holders_payment_never_settles_what_the_one_before_owes(place):
    held_before = own_charges(place.account.pk, DAY - timedelta(days=9_999))
    other = registry.register_customer(program_actor(), "person", "Jan Novak")
    registry.change_holder(program_actor(), place.account.pk, other, DAY)
    of = held_by_number(place.number, DAY)
    assert of is not None
    assert of.holder == "Jan Novak"
    own = own_charges(of.account_id, of.since)
    assert {charge.kind for charge in own} == {"citation"}
    before = balance(of.account_id).owed_cents
    assert heard(notice(sent_intent(of, 6_000))) == "posted"
    assert balance(of.account_id).owed_cents == before - 6_000
    assert len(own_charges(of.account_id, DAY - timedelta(days=9_999))) == len(held_before) - 1
    assert heard(notice(sent_intent(of, 700, "pay-2"), "e2", payment="PAY-2")) == "not_posted"
    assert Intent.objects.get(cents=700).status == "paid"
    citation(place.account, place.day, "70119246")
    assert operations.ask_provider(Intent.objects.get(cents=700), Page(), NOW).status == "posted"


def test_money_that_waited_for_a_day_and_cannot_be_posted_then_is_for_a_person_to_look_at(place):
    other = registry.register_customer(program_actor(), "person", "Jan Novak")
    registry.change_holder(program_actor(), place.account.pk, other, DAY)
    of = held_by_number(place.number, DAY)
    assert of is not None
    own = sum(charge.open_cents for charge in own_charges(of.account_id, of.since))
    seal_business_day(program_actor(), place.day.pk, NOW)
    assert heard(notice(sent_intent(of, own))) == "waits"
    assert heard(notice(sent_intent(of, 700, "pay-2"), "event-2", payment="PAY-2")) == "waits"
    later = NOW + timedelta(days=1)
    assert queries.count_to_look_at() == 0
    open_business_day(program_actor(), place.center.pk, DAY + timedelta(days=1), later)
    assert [operations.look_after(program_actor(), PROVIDER, later) for _ in range(2)] == [1, 0]
    [row] = queries.to_look_at()
    assert (row.cents, row.provider_payment, row.account_number) == (700, "PAY-2", place.number)
    assert "posts itself" in row.sentence


def test_notices_and_what_was_set_out_are_never_changed(place):
    intent = sent_intent(resident_of(place))
    heard(notice(intent))
    for change in (
        lambda: Notice.objects.update(outcome="failed"),
        lambda: Intent.objects.update(cents=1),
        lambda: Intent.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_who_may_not_post_payments_may_not_look_after_them(place):
    with pytest.raises(NotPermitted):
        operations.look_after(office.make_actor("alex", Role.AUDITOR), PROVIDER, NOW)
