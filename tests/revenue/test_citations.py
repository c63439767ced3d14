"""Citations by their stages: noticed, doubled, contested, decided; vehicles booted and released."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import proof
from chamberlain.ledger.operations import seal_business_day
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.revenue.citations import booting, contesting, queries
from chamberlain.revenue.citations.models import CitationTerms
from chamberlain.revenue.citations.nightly import NightResult, work_on_citations
from chamberlain.revenue.citations.terms import load_citation_terms
from tests.office import DAY, NOW, make_actor, open_day
from tests.revenue.citation_office import FINE, TERMS, CitationOffice, cite, make_citation_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db) -> CitationOffice:
    return make_citation_office()


def night(office, days: int = 0) -> NightResult:
    on = DAY + timedelta(days=days)
    return work_on_citations(office.supervisor, on, office.day.pk, NOW)


def stage(number: str) -> str:
    return queries.citation(number).stage


def pay(office, cents: int, key: str = "pay") -> None:
    post_payment(
        program_actor(), office.day.center_id, NewPayment("A1", cents, "lockbox", key, None),
        NOW, key,
    )  # fmt: skip


def test_days_unpaid_bring_the_notice_then_the_penalty_then_collection(office):
    young, noticed, doubled, old = (cite(office, days) for days in (6, 7, 25, 180))
    assert night(office) == NightResult(1, 2, 2 * FINE, 1)
    assert [stage(n) for n in (young, noticed, doubled, old)] == [
        "issued", "notice", "final", "collection",
    ]  # fmt: skip
    row = queries.citation(doubled)
    assert (row.cents, row.open_cents, row.label) == (2 * FINE, 2 * FINE, "Final determination")
    assert night(office) == NightResult(0, 0, 0, 0)
    assert [event.label for event in queries.events(queries.citation(old).obligation_id)] == [
        "Final determination", "In collection",
    ]  # fmt: skip
    assert proof.prove(program_actor()).holds


def test_what_is_paid_moves_on_no_more(office):
    number = cite(office, 24)
    pay(office, FINE)
    assert night(office, 30) == NightResult(0, 0, 0, 0)
    assert queries.citation(number).label == "Paid"


def test_what_is_paid_in_part_doubles_by_the_whole_fine(office):
    number = cite(office, 25)
    pay(office, 2_000)
    assert night(office).doubled_cents == FINE
    assert queries.citation(number).open_cents == 2 * FINE - 2_000


def test_a_contested_citation_waits_and_its_days_count_from_the_decision(office):
    number = cite(office, 20)
    contesting.contest(office.clerk, number, "The meter was broken", DAY, NOW)
    assert night(office, 100) == NightResult(0, 0, 0, 0)
    hearing = DAY + timedelta(days=14)
    contesting.set_hearing(office.clerk, number, hearing, DAY, NOW)
    assert [row.hearing_on for row in queries.hearings()] == [hearing]
    decide_as(office.supervisor, office, number, is_liable=True)
    assert (stage(number), night(office, 24).doubled) == ("determined", 0)
    assert night(office, 25).doubled == 1


def decide_as(actor, office, number, *, is_liable: bool = False) -> None:
    contesting.decide(
        actor, number, is_liable=is_liable, note="Heard", business_day_id=office.day.pk,
        today=DAY, now=NOW,
    )  # fmt: skip


def test_the_one_who_entered_the_contest_does_not_decide_it(office):
    number = cite(office, 5)
    both = make_actor("asa", Role.ACCOUNTS_SUPERVISOR)
    contesting.contest(both, number, "x", DAY, NOW)
    with pytest.raises(NotPermitted, match="another person than who entered"):
        decide_as(both, office, number)
    decide_as(office.supervisor, office, number)


def test_a_dismissed_citation_owes_nothing_and_its_payment_becomes_credit(office):
    number = cite(office, 5)
    pay(office, 3_000)
    contesting.contest(office.clerk, number, "Not my car", DAY, NOW)
    decide_as(office.supervisor, office, number)
    row = queries.citation(number)
    assert (row.stage, row.label, row.open_cents) == ("dismissed", "Dismissed", 0)
    found = balance(office.account_id)
    assert (found.owed_cents, found.credit_cents) == (0, 3_000)
    assert night(office, 200) == NightResult(0, 0, 0, 0)
    with pytest.raises(Refused, match="nothing is to be decided"):
        decide_as(office.supervisor, office, number)
    assert proof.prove(program_actor()).holds


def test_it_is_too_late_to_contest_after_the_final_determination(office):
    number = cite(office, 25)
    night(office)
    with pytest.raises(Refused, match="is final determination; it is contested before"):
        contesting.contest(office.clerk, number, "x", DAY, NOW)
    paid = cite(office, 1)
    pay(office, 3 * FINE)
    with pytest.raises(Refused, match="was paid"):
        contesting.contest(office.clerk, paid, "x", DAY, NOW)
    with pytest.raises(Refused, match="is not contested; nothing is heard"):
        contesting.set_hearing(office.clerk, number, DAY, DAY, NOW)


@pytest.mark.parametrize(
    ("note", "hearing_on", "sentence"),
    [
        (" ", None, "Say why"),
        ("x" * 161, None, "Say why"),
        ("x", DAY - timedelta(days=1), "from today on"),
        ("x", DAY + timedelta(days=367), "from today on"),
    ],
)
def test_what_is_missing_to_contest_is_said(office, note, hearing_on, sentence):
    number = cite(office, 5)
    with pytest.raises(Invalid, match=sentence):
        contesting.contest(office.clerk, number, note, DAY, NOW, hearing_on)
    with pytest.raises(NotFound):
        contesting.contest(office.clerk, "C-NONE", "x", DAY, NOW)


def test_three_final_citations_make_a_vehicle_eligible_and_it_is_booted_once(office):
    for days in (30, 40):
        cite(office, days)
    night(office)
    assert booting.eligible(DAY, 10) == []
    with pytest.raises(Refused, match="AB12345 has not enough citations"):
        booting.boot(office.clerk, "ab 12-345", "1200 W Lake", office.posting(), DAY)
    cite(office, 50, plate="Plate AB12345")
    night(office)
    [found] = booting.eligible(DAY, 10)
    assert (found.plate, found.final, found.open_cents) == ("AB12345", 3, 6 * FINE)
    assert (booting.count_eligible(DAY), "3 are enough" in found.because) == (1, True)
    made = booting.boot(office.clerk, "AB 12 345", "1200 W Lake", office.posting("b"), DAY)
    assert booting.still_open("AB12345") == 6 * FINE + 10_000
    with pytest.raises(AlreadyDone, match="booted already"):
        booting.boot(office.clerk, "AB12345", "here", office.posting("c"), DAY)
    assert (booting.eligible(DAY, 10), queries.boots(is_on=True)[0].boot_id) == ([], made)


def test_two_old_ones_are_enough(office):
    cite(office, 366)
    cite(office, 400)
    night(office)
    [found] = booting.eligible(DAY, 10)
    assert "2 citations in final determination are older than 365 days" in found.because


def test_a_vehicle_leaves_the_pound_when_all_is_paid_and_its_days_are_charged(office):
    for days in (30, 40, 50):
        cite(office, days)
    night(office)
    made = booting.boot(office.clerk, "AB12345", "1200 W Lake", office.posting("b"), DAY)
    with pytest.raises(Refused, match="is not in the pound"):
        booting.charge_storage(office.clerk, made, office.posting("s0"), DAY)
    booting.tow(office.clerk, made, office.posting("t"), DAY)
    with pytest.raises(AlreadyDone):
        booting.tow(office.clerk, made, office.posting("t2"), DAY)
    later = DAY + timedelta(days=7)
    with pytest.raises(Refused, match="are not charged up to today"):
        booting.release(office.clerk, made, later)
    assert booting.charge_storage(office.clerk, made, office.posting("s1"), DAY + timedelta(3)) == 3
    assert booting.charge_storage(office.clerk, made, office.posting("s2"), later) == 4
    assert booting.charge_storage(office.clerk, made, office.posting("s3"), later) == 0
    storage = 5 * 2_000 + 2 * 3_500
    assert booting.still_open("AB12345") == 6 * FINE + 10_000 + 15_000 + storage
    with pytest.raises(Refused, match=r"\$720\.00 is open on AB12345"):
        booting.release(office.clerk, made, later)
    pay(office, 72_000)
    booting.release(office.clerk, made, later)
    with pytest.raises(AlreadyDone, match="was released"):
        booting.release(office.clerk, made, later)
    assert queries.boots(is_on=False, plate="AB12345")[0].released_on == later
    assert proof.prove(program_actor()).holds


def test_who_may_do_what(office):
    number = cite(office, 5)
    auditor, cashier = make_actor("a", Role.AUDITOR), make_actor("k", Role.CASHIER)
    for act in (
        lambda: contesting.contest(auditor, number, "x", DAY, NOW),
        lambda: decide_as(office.clerk, office, number),
        lambda: work_on_citations(office.clerk, DAY, office.day.pk, NOW),
        lambda: booting.boot(cashier, "AB12345", "x", office.posting(), DAY),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_without_rules_or_an_open_day_nothing_is_done(office):
    cite(office, 30)
    seal_business_day(program_actor(), office.day.pk, NOW)
    with pytest.raises(DayClosed):
        night(office)
    CitationTerms.objects.all().delete()
    with pytest.raises(NotFound, match="no rules of citations"):
        work_on_citations(
            office.supervisor, DAY, open_day(office.day.center, DAY + timedelta(days=1)).pk, NOW
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE citations_citationevent SET note = ''",
        "DELETE FROM citations_citationevent",
        "DELETE FROM citations_citation",
        "DELETE FROM citations_boot",
        "UPDATE citations_boot SET place = 'elsewhere'",
        "UPDATE citations_citation SET decided_by_id = 1, contested_by_id = 1",
    ],
)
def test_the_database_itself_refuses(office, statement):
    for days in (30, 40, 50):
        cite(office, days)
    night(office)
    booting.boot(office.clerk, "AB12345", "1200 W Lake", office.posting("b"), DAY)
    with (
        pytest.raises((DatabaseError, IntegrityError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def plain_stage(days: int, paid: bool) -> tuple[str, int]:
    """The city's rule, plainly: the stage so many days after the issue, and what it comes to."""
    if paid or days < 7:
        return "issued", FINE
    if days < 25:
        return "notice", FINE
    return ("final", 2 * FINE) if days < 180 else ("collection", 2 * FINE)


class RandomNights(TestCase):
    """Whatever nights are done, a citation is where the rule says."""

    @settings(max_examples=20)
    @given(
        st.lists(st.integers(0, 250), min_size=1, max_size=6),
        st.lists(st.integers(0, 40), min_size=1, max_size=4),
    )
    def test_the_nights_do_what_the_rule_says(self, ages, steps):
        office = make_citation_office()
        numbers = {cite(office, age, plate=f"P{i}"): age for i, age in enumerate(ages)}
        ahead = 0
        for step in steps:
            ahead += step
            night(office, ahead)
        for number, age in numbers.items():
            row = queries.citation(number)
            assert (row.stage, row.cents) == plain_stage(age + ahead, paid=False)
        owed = sum(charge.open_cents for charge in open_charges([office.account_id]))
        assert owed == sum(plain_stage(age + ahead, paid=False)[1] for age in numbers.values())


def test_a_plate_is_kept_without_what_people_type_around_it(office):
    number = cite(office, 1, plate="Plate KX 79-612")
    assert queries.citation(number).plate == "KX79612"
    assert [row.number for row in queries.citations_of_plate("KX79612")] == [number]
    assert booting.plate_of(" kx 79-612 ") == "KX79612"
    assert queries.by_stage() == [("Issued", 1, FINE)]


def test_terms_of_another_day_hold_for_their_days(office):
    later = replace(TERMS, starts_on=DAY + timedelta(days=1), doubles_days=60)
    load_citation_terms(program_actor(), [later])
    cite(office, 30)
    assert night(office, 1).doubled == 0
