"""Citations, stickers, licenses and fees raise what the city's prices of the day say."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.ledger import chart, proof
from chamberlain.ledger.operations import open_accounts, seal_business_day
from chamberlain.ledger.posting import DayClosed, NewEntry, post
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.revenue import operations, queries
from chamberlain.revenue.bulk import charge_many
from chamberlain.revenue.operations import FeeTerms, Posting
from chamberlain.revenue.pricing import NoPrice, Price, price_on, prorated
from tests.office import DAY, NOW, make_actor, make_center, open_day

FEES = (
    FeeTerms(
        "citation.meter", "citation", "Expired meter", "citation",
        ((date(2020, 1, 1), 5_000, "A newspaper", False),), due_days=25,
    ),
    FeeTerms(
        "sticker.P", "sticker", "City sticker", "sticker",
        tuple(
            (since, cents, "The Clerk", True)
            for since, cents in ((date(2022, 1, 1), 9_542), (date(2024, 2, 1), 10_017))
        ),
        term_months=12,
    ),
    FeeTerms(
        "license.shop", "business_license", "Shop license", "license",
        ((date(2020, 1, 1), 25_000, "Code 4-5", True),), term_months=24, due_days=30,
    ),
    FeeTerms("fee.hydrant", "fee", "Hydrant", "fee", ((date(2016, 1, 1), 8_378, "Code", True),)),
    FeeTerms("fee.new", "fee", "New fee", "fee", ((date(2027, 1, 1), 100, "Code", True),)),
)  # fmt: skip


@pytest.fixture
def office(db):
    center = make_center("REV")
    for priority, kind in enumerate(("citation", "sticker", "license", "fee"), 1):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    for fee in FEES:
        operations.load_fee(program_actor(), fee)
    return open_day(center)


@pytest.fixture
def clerk(office):
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def account(office):
    return open_accounts(["CH-1"], DAY)[0]


@pytest.fixture
def posting(office):
    return Posting(office.pk, NOW)


def owed(account):
    return [(c.kind, c.cents, c.due_on) for c in open_charges([account])]


def test_a_citation_is_owed_from_its_day_on_and_due_as_the_city_says(clerk, account, posting):
    operations.issue_citation(
        clerk, account, "c-1", "citation.meter", "AB 123", date(2026, 2, 20), posting
    )
    assert owed(account) == [("citation", 5_000, date(2026, 3, 17))]
    [row] = queries.obligations(account)
    assert (row.number, row.subject, row.cents, row.open_cents) == ("C-1", "AB 123", 5_000, 5_000)
    assert proof.prove(program_actor()).holds


def test_a_sticker_is_prorated_by_month_at_the_price_of_the_day(clerk, account, posting):
    operations.sell_sticker(clerk, account, "V-1", "sticker.P", "AB 123", 7, posting)
    assert owed(account) == [("sticker", 5_843, DAY)]


def test_a_license_for_its_whole_term_costs_its_price(clerk, account, posting):
    operations.issue_license(clerk, account, "B-1", "license.shop", "Union Bakery", 24, posting)
    assert owed(account)[0][1] == 25_000


def test_a_fee_is_charged_so_many_times(clerk, account, posting):
    operations.charge_fee(clerk, account, "F-1", "fee.hydrant", "Block party", posting, times=3)
    assert balance(account).owed_cents == 3 * 8_378
    for times in (0, 1001):
        with pytest.raises(Invalid):
            operations.charge_fee(clerk, account, "F-2", "fee.hydrant", "x", posting, times=times)


def test_the_same_request_twice_makes_one_obligation(clerk, account, posting):
    keyed = replace(posting, idempotency_key="sale-1")
    first = operations.sell_sticker(clerk, account, "V-1", "sticker.P", "AB 123", 12, keyed)
    again = operations.sell_sticker(clerk, account, "V-1", "sticker.P", "AB 123", 12, keyed)
    assert first == again
    assert balance(account).owed_cents == 10_017


def test_a_key_that_was_used_for_something_else_is_refused(clerk, account, office, posting):
    post(NewEntry(office.pk, "note", clerk.user_id, NOW, "N1", [], idempotency_key="other"))
    with pytest.raises(AlreadyDone):
        operations.sell_sticker(
            clerk, account, "V-1", "sticker.P", "AB", 12, replace(posting, idempotency_key="other")
        )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"number": " "}, Invalid),
        ({"number": "X" * 25}, Invalid),
        ({"plate": ""}, Invalid),
        ({"on": date(2026, 3, 3)}, Invalid),
        ({"on": date(2019, 1, 1)}, NoPrice),
        ({"violation": "sticker.P"}, NotFound),
        ({"account_id": 0}, NotFound),
        ({"posting": Posting(0, NOW)}, NotFound),
    ],
)
def test_a_citation_that_cannot_be_is_refused_and_nothing_is_owed(
    clerk, account, posting, change, refusal
):
    given_ = {
        "account_id": account, "number": "C-1", "violation": "citation.meter", "plate": "AB 123",
        "on": DAY, "posting": posting, **change,
    }  # fmt: skip
    with pytest.raises(refusal):
        operations.issue_citation(clerk, **given_)
    assert owed(account) == []


def test_a_number_is_entered_once(clerk, account, posting):
    operations.issue_citation(clerk, account, "C-1", "citation.meter", "AB 123", DAY, posting)
    with pytest.raises(AlreadyDone):
        operations.issue_citation(clerk, account, "c-1", "citation.meter", "AB 123", DAY, posting)


@pytest.mark.parametrize("months", [0, 37])
def test_a_term_is_a_number_of_months(clerk, account, posting, months):
    with pytest.raises(Invalid):
        operations.sell_sticker(clerk, account, "V-1", "sticker.P", "AB 123", months, posting)


def test_a_closed_day_and_an_unknown_day_take_nothing(clerk, account, office, posting):
    with pytest.raises(NotFound):
        operations.sell_sticker(clerk, account, "V", "sticker.P", "AB", 12, Posting(0, NOW))
    seal_business_day(program_actor(), office.pk, NOW)
    with pytest.raises(DayClosed):
        operations.sell_sticker(clerk, account, "V-1", "sticker.P", "AB 123", 12, posting)


def test_an_auditor_sells_nothing(account, posting):
    auditor = make_actor("audrey", Role.AUDITOR)
    with pytest.raises(NotPermitted):
        operations.sell_sticker(auditor, account, "V-1", "sticker.P", "AB 123", 12, posting)


def test_an_amount_that_the_program_cannot_keep_is_refused(clerk, account, posting):
    huge = FeeTerms("fee.huge", "fee", "Huge", "fee", ((date(2020, 1, 1), 10**15, "x", True),))
    operations.load_fee(program_actor(), huge)
    with pytest.raises(Invalid, match="larger"):
        operations.charge_fee(clerk, account, "F-1", "fee.huge", "x", posting, times=2)


def test_prices_show_their_source_and_what_nobody_verified(office):
    rows = queries.prices()
    assert [row.code for row in rows if not row.is_verified] == ["citation.meter"]
    assert {row.source for row in rows if row.code == "sticker.P"} == {"The Clerk"}


def test_a_fee_of_an_unknown_kind_of_charge_is_not_loaded(office):
    with pytest.raises(NotFound):
        operations.load_fee(program_actor(), replace(FEES[0], charge_kind="parking"))


def many(account, **change):
    row = {
        "number": "C-9", "kind": "citation", "account_id": account, "subject": "AB 1",
        "description": "Expired meter", "arose_on": date(2026, 2, 1), "charge_kind": "citation",
        "cents": 5_000, "due_on": date(2026, 2, 26), **change,
    }  # fmt: skip
    return pl.DataFrame([row, {**row, "number": "C-10", "cents": 7_500}])


def test_many_obligations_come_in_at_once_each_with_its_charge(account, office):
    assert charge_many(program_actor(), many(account), office.pk, NOW) == 2
    assert sorted(row.cents for row in queries.obligations(account)) == [5_000, 7_500]
    assert [due for _, _, due in owed(account)] == [DAY, DAY]
    assert proof.prove(program_actor()).holds


def test_many_obligations_of_an_unknown_kind_or_on_a_closed_day_are_refused(account, office):
    with pytest.raises(Invalid):
        charge_many(program_actor(), many(account, charge_kind="x"), office.pk, NOW)
    seal_business_day(program_actor(), office.pk, NOW)
    with pytest.raises(DayClosed):
        charge_many(program_actor(), many(account), office.pk, NOW)


@given(
    st.lists(
        st.tuples(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(1, 10**6)),
        min_size=1, unique_by=lambda pair: pair[0],
    ),
    st.dates(date(2000, 1, 1), date(2030, 1, 1)),
)  # fmt: skip
def test_the_price_in_force_is_the_latest_that_had_started(pairs, on):
    started = sorted(pair for pair in pairs if pair[0] <= on)
    if not started:
        with pytest.raises(NoPrice):
            price_on([Price(*pair) for pair in pairs], on, "It")
    else:
        assert price_on([Price(*pair) for pair in pairs], on, "It").cents == started[-1][1]


@given(st.integers(1, 10**9), st.integers(1, 36), st.sampled_from([12, 24]))
def test_a_prorated_price_is_within_half_a_cent(cents, months, term):
    found = prorated(cents, months, term)
    assert abs(found * term - cents * months) * 2 <= term
