"""Bills explained from the books: what they are compared with, analyses, past balances."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.comparing import analysis as analyses
from chamberlain.billing.comparing.analysis import analysis
from chamberlain.billing.comparing.documents import (
    analysis_pdf,
    letter_pdf,
    summary,
    variances_in_words,
)
from chamberlain.billing.comparing.queries import BEFORE, YEAR_BEFORE, why
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.past import moves_until, other_entries, past_balance
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.queries import balance
from chamberlain.metering.models import Read
from chamberlain.registry.models import ServicePoint
from chamberlain.tariffs.models import Component
from tests.billing.rebilling_scenes import take_back
from tests.office import DAY, NOW
from tests.web import scenes

pytestmark = pytest.mark.django_db
SINCE = date(2024, 1, 1)


@pytest.fixture
def place() -> scenes.Office:
    return scenes.furnished_office(bills=8)


def test_a_bill_is_compared_with_the_one_before_and_the_one_a_year_before(
    place: scenes.Office,
) -> None:
    found = why("88-203417")
    named = {each.name: each.before.number for each in found.comparisons}
    assert named == {BEFORE: "88-203416", YEAR_BEFORE: "88-203411"}
    for each in found.comparisons:
        assert sum(part.cents for part in each.parts) == each.change_cents
        for line in each.lines:
            assert line.before_cents + sum(line.parts) == line.cents
            assert line.change_cents == line.cents - line.before_cents


def test_a_bill_that_was_taken_back_is_compared_with_nothing(place: scenes.Office) -> None:
    take_back("88-203416", place.day.pk)
    assert why("88-203417").comparisons[0].before.number == "88-203415"


def test_without_a_year_of_bills_only_the_last_is_compared(place: scenes.Office) -> None:
    assert [each.name for each in why("88-203412").comparisons] == [BEFORE]
    assert why("88-203410").comparisons == ()


def test_other_days_and_terms_are_said_in_words(place: scenes.Office) -> None:
    other = ServiceAgreement.objects.get(account=place.account)
    ServiceAgreement.objects.filter(pk=other.pk).update(period=DateRange(date(2020, 1, 1), DAY))
    other.pk, other.rate_class, other.exemptions = None, "non_profit", []
    other.period = DateRange(DAY, None)
    other.save()
    read = Read.objects.create(
        service_point=other.service_point,
        from_on=DAY,
        to_on=DAY + timedelta(days=40),
        usage_thousandths=9_000,
        unit="kgal",
        quality="estimate",
        source="moved",
    )
    scenes.bill(other, read, place.run, "88-203418", DAY + timedelta(days=60))
    words = {part.name: part.sentence for part in why("88-203418").comparisons[0].parts}
    assert "This bill is for 40 days, the earlier one for 60." in words["days"]
    assert "20 days fewer come to" in words["days"]
    assert "class: non profit instead of residential" in words["terms"]
    assert "exemptions: none instead of senior" in words["terms"]
    assert "This bill rests on an estimated read." in words["usage"]
    assert words["other"] == "Both bills are what their reads and rates give."


def test_a_bill_that_cannot_be_rated_again_says_so(place: scenes.Office) -> None:
    water = Component.objects.get(code="water")
    water.terms = {**water.terms, "versions": [{"effective": "2025-06-01", "rate": "4.69"}]}
    water.save()
    [before, year_before] = why("88-203417").comparisons
    assert before.parts[-1].cents == 0
    assert "cannot be rated again" in year_before.parts[-1].sentence
    assert year_before.parts[-1].cents == year_before.change_cents
    found = analysis(place.account.pk, SINCE, DAY + timedelta(days=1))
    assert "has no figure before 2025-06-01" in found.bills[0].refusal
    assert found.bills[0].variance_cents == 0
    sentences = variances_in_words(found.bills)
    assert sentences[0].startswith("Bill 88-203410 cannot be rated again: ")
    assert analysis_pdf(found, (place.number, "", ""), DAY).startswith(b"%PDF")


def test_an_unknown_bill_is_refused() -> None:
    with pytest.raises(NotFound):
        why("none")


def test_an_analysis_finds_a_line_that_its_read_and_rate_do_not_give(place: scenes.Office) -> None:
    sewer = Component.objects.get(code="sewer")
    half = {"effective": "2026-01-01", "percent": "50"}
    sewer.terms = {**sewer.terms, "versions": [*sewer.terms["versions"], half]}
    sewer.save()
    found = analysis(place.account.pk, date(2025, 9, 10), DAY + timedelta(days=1))
    assert [each.variance_cents for each in found.bills] == [0, 0, 4293]
    assert (found.variances, found.variance_cents) == (1, 4293)
    assert variances_in_words(found.bills) == ["Bill 88-203417: Sewer billed $85.87, rated $42.94."]
    other = why("88-203417").comparisons[0].parts[-1]
    assert (other.cents, "such as a line set by hand" in other.sentence) == (4293, True)


def test_an_analysis_leaves_out_what_was_taken_back(place: scenes.Office) -> None:
    take_back("88-203416", place.day.pk)
    found = analysis(place.account.pk, SINCE, DAY + timedelta(days=1))
    assert (len(found.bills), found.left_out) == (7, 1)


def test_a_period_of_no_day_or_of_too_many_bills_is_refused(
    place: scenes.Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match="give a later end"):
        analysis(place.account.pk, DAY, DAY)
    monkeypatch.setattr(analyses, "BILLS_MAX", 7)
    with pytest.raises(Invalid, match="choose a shorter one"):
        analysis(place.account.pk, SINCE, DAY + timedelta(days=1))


def neighbor(place: scenes.Office, number: int, usage: int, units: int = 2) -> None:
    """Another account of the class with a bill for the last period."""
    mine = Bill.objects.select_related("read", "agreement").get(number="88-203417")
    [account_id] = ledger.open_accounts([f"N{number}"], SINCE)
    point = ServicePoint.objects.create(
        property_id=mine.agreement.service_point.property_id, code=f"N{number}"
    )
    agreement = ServiceAgreement.objects.create(
        account_id=account_id,
        service_point=point,
        tariff=place.tariff,
        rate_class="residential",
        dwelling_units=units,
        period=DateRange(SINCE, None),
    )
    read = Read.objects.create(
        service_point=point,
        from_on=mine.read.from_on,
        to_on=mine.read.to_on,
        usage_thousandths=usage,
        unit="kgal",
        quality="actual",
        source=f"neighbor:{number}",
    )
    scenes.bill(agreement, read, place.run, f"N-{number}", DAY)


def test_usage_stands_beside_the_middle_of_similar_properties(place: scenes.Office) -> None:
    for number in range(5):
        neighbor(place, number, 6_000 * (number + 1))
    neighbor(place, 9, 600_000, units=40)
    found = analysis(place.account.pk, SINCE, DAY + timedelta(days=1)).bills
    last = found[-1].similar
    assert last is not None
    assert (last.low, last.middle, last.high, last.accounts) == (200, 300, 400, 5)
    assert found[-2].similar is None


def test_too_few_neighbors_are_not_told(place: scenes.Office) -> None:
    for number in range(analyses.NEIGHBOURS_LEAST - 1):
        neighbor(place, number, 6_000)
    assert analysis(place.account.pk, SINCE, DAY + timedelta(days=1)).bills[-1].similar is None


def test_a_letter_is_written_for_every_bill(place: scenes.Office) -> None:
    for number in ("88-203410", "88-203411", "88-203417"):
        assert letter_pdf(why(number), DAY).startswith(b"%PDF")


def test_the_past_balance_of_today_is_the_balance_and_every_transfer_is_in_it(
    place: scenes.Office,
) -> None:
    post_payment(
        program_actor(), place.center.pk, NewPayment(place.number, 200_000, "lockbox", "LB-2"),
        NOW, "over",
    )  # fmt: skip
    take_back("88-203417", place.day.pk)
    now, found = balance(place.account.pk), past_balance(place.account.pk, DAY)
    assert (found.owed_cents, found.credit_cents) == (now.owed_cents, now.credit_cents)
    moves = moves_until(place.account.pk, DAY, limit=1000)
    assert len(moves) == found.moves
    assert sum(move.owed_cents - move.credit_cents for move in moves) == found.balance_cents
    assert moves[0].balance_cents == found.balance_cents
    running = 0
    for move in reversed(moves):
        running += move.owed_cents - move.credit_cents
        assert move.balance_cents == running
    assert moves_until(place.account.pk, DAY, limit=2, offset=1) == moves[1:3]
    before = past_balance(place.account.pk, DAY - timedelta(days=1))
    assert (before.balance_cents, before.moves) == (0, 0)


def test_a_bill_without_a_meter_is_explained_and_analyzed_without_usage(
    place: scenes.Office,
) -> None:
    fee = {"type": "fixed", "per": "day", "versions": [{"effective": "2015-01-01", "amount": "1"}]}
    Component.objects.filter(code="water").update(terms=fee)
    agreement = ServiceAgreement.objects.get(account=place.account)
    for start, days in ((DAY, 30), (DAY + timedelta(days=30), 31)):
        Bill.objects.create(
            number=f"S-{days}",
            account=place.account,
            agreement=agreement,
            from_on=start,
            to_on=start + timedelta(days=days),
            issued_on=DAY,
            due_on=DAY,
            total_cents=200 * days,
            previous_balance_cents=0,
        )
    before = why("S-31").comparisons[0]
    words = {part.name: part.sentence for part in before.parts}
    assert words["usage"] == "Usage is not metered here."
    assert before.change_cents == 200
    assert letter_pdf(why("S-31"), DAY).startswith(b"%PDF")
    last = analysis(place.account.pk, DAY, DAY + timedelta(days=90)).bills[-1]
    assert (last.rated_cents, last.variance_cents, last.similar) == (6200, 0, None)


def test_two_equal_bills_are_said_to_be_as_much(place: scenes.Office) -> None:
    mine = Bill.objects.select_related("read", "agreement").get(number="88-203417")
    read = Read.objects.create(
        service_point=mine.read.service_point,
        from_on=mine.to_on,
        to_on=mine.to_on + timedelta(days=60),
        usage_thousandths=mine.read.usage_thousandths,
        unit="kgal",
        quality="actual",
        source="equal",
    )
    scenes.bill(mine.agreement, read, place.run, "88-203418", DAY + timedelta(days=90))
    headline = why("88-203418").comparisons[0].headline
    assert headline.startswith("This bill is as much as bill 88-203417")


def test_an_analysis_of_right_bills_says_so(place: scenes.Office) -> None:
    found = analysis(place.account.pk, date(2025, 9, 10), DAY + timedelta(days=1))
    assert summary(found).endswith("Each is what its read and its rates give, to the cent.")
    take_back("88-203416", place.day.pk)
    found = analysis(place.account.pk, SINCE, DAY + timedelta(days=1))
    assert "Bills that were taken back are left out: 1." in summary(found)


def test_other_entries_are_neither_bills_nor_payments_nor_reversals(place: scenes.Office) -> None:
    take_back("88-203417", place.day.pk)
    [citation] = other_entries(place.account.pk)
    assert (citation.kind, citation.document) == ("citation", "70119245")
    assert (citation.balance_cents, citation.moved_cents) == (6000, 6000)
