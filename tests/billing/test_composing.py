"""From rated lines to bills: sums, numbers, previous balances, credits."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing import composing
from chamberlain.ledger.chart import KindOfCharge

KINDS = {
    "water": KindOfCharge(1, "water", "Water", 101, 201, 1),
    "sewer": KindOfCharge(2, "sewer", "Sewer", 102, 202, 2),
}
POSTING = composing.Posting(
    run_id=7,
    business_day_id=3,
    actor_id=9,
    issued_on=date(2026, 3, 2),
    due_on=date(2026, 3, 26),
    posted_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    credits_id=300,
)
LINES = {
    "row": pl.Int64,
    "component_id": pl.Int64,
    "position": pl.Int16,
    "charge_kind": pl.String,
    "cents": pl.Int64,
    "quantity_thousandths": pl.Int64,
    "unit": pl.String,
    "rate_micros": pl.Int64,
    "days": pl.Int32,
    "steps": pl.String,
}


def _candidates(accounts: list[int]) -> pl.DataFrame:
    count = len(accounts)
    return pl.DataFrame(
        {
            "row": range(count),
            "agreement_id": [10 + account for account in accounts],
            "account_id": accounts,
            "read_id": range(500, 500 + count),
            "from_on": [date(2026, 1, 1)] * count,
            "to_on": [date(2026, 3, 1)] * count,
        }
    )


def _lines(amounts: list[tuple[int, str, int]]) -> pl.DataFrame:
    rows = [
        (
            row,
            1 if kind == "water" else 2,
            1 if kind == "water" else 2,
            kind,
            cents,
            1000,
            "mcf",
            36_510_000,
            59,
            None,
        )
        for row, kind, cents in amounts
    ]
    return pl.DataFrame(rows, schema=LINES, orient="row")


def _compose(
    accounts: list[int], lines: pl.DataFrame, balances: dict[int, int]
) -> composing.Composed:
    known = pl.DataFrame(
        {"account_id": list(balances), "net_cents": list(balances.values())},
        schema={"account_id": pl.Int64, "net_cents": pl.Int64},
    )
    billed = composing.bills(
        _candidates(accounts), lines, known, pl.Series(range(1, len(accounts) + 1)), POSTING
    )
    owed = int((lines["cents"] > 0).sum())
    return composing.compose(
        billed,
        lines,
        pl.Series(range(1000, 1000 + owed), dtype=pl.Int64),
        pl.Series(range(2000, 2000 + billed.height), dtype=pl.Int64),
        KINDS,
        POSTING,
    )


def test_a_bill_is_the_sum_of_its_lines_and_raises_a_charge_for_each_above_zero():
    composed = _compose([1], _lines([(0, "water", 5477), (0, "sewer", 0)]), {1: 300})
    [bill] = composed.bills.to_dicts()
    assert (bill["total_cents"], bill["previous_balance_cents"]) == (5477, 300)
    assert composed.lines["charge_id"].to_list() == [1000, None]
    [charge] = composed.ledger.charges.to_dicts()
    assert (charge["cents"], charge["kind_id"], charge["account_id"]) == (5477, 1, 1)
    [transfer] = composed.ledger.transfers.to_dicts()
    assert (transfer["debit_id"], transfer["credit_id"], transfer["effect"]) == (101, 201, "raise")


def test_several_bills_of_one_account_carry_each_other_as_previous_balance():
    composed = _compose([1, 1], _lines([(0, "water", 1000), (1, "water", 2000)]), {1: -500})
    assert composed.bills["previous_balance_cents"].to_list() == [-500, 500]


def test_a_bill_for_nothing_posts_no_entry():
    composed = _compose([1], _lines([(0, "water", 0)]), {})
    assert composed.bills["entry_id"].to_list() == [None]
    assert composed.ledger.entries.is_empty()
    assert composed.ledger.transfers.is_empty()


def test_a_bill_number_ends_in_check_digits_that_tell_one_wrong_digit():
    numbers = pl.DataFrame({"id": [1, 123456789]}).select(n=composing.bill_numbers(pl.col("id")))
    for number in numbers["n"]:
        assert int(number) % 97 == 1
        wrong = number[:4] + str((int(number[4]) + 1) % 10) + number[5:]
        assert int(wrong) % 97 != 1


def test_credit_pays_new_charges_by_priority_and_no_more_than_there_is():
    composed = _compose([1], _lines([(0, "sewer", 800), (0, "water", 1000)]), {1: -1300})
    credits = pl.DataFrame({"account_id": [1], "cents": [1300]})
    used = composing.use_credits(credits, composed, KINDS, pl.Series([5000]), POSTING)
    settled = {(row["credit_id"], row["cents"]) for row in used.transfers.to_dicts()}
    assert settled == {(101, 1000), (102, 300)}
    assert used.transfers["debit_id"].unique().to_list() == [300]


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(0, 10**9), st.integers(0, 10**9)),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_is_billed_the_three_sums_are_one(rows: list[tuple[int, int, int]]):
    accounts = [account for account, _, _ in rows]
    lines = _lines(
        [
            item
            for row, (_, water, sewer) in enumerate(rows)
            for item in ((row, "water", water), (row, "sewer", sewer))
        ]
    )
    composed = _compose(accounts, lines, {})
    total = sum(water + sewer for _, water, sewer in rows)
    assert composed.bills["total_cents"].sum() == total
    assert composed.lines["cents"].sum() == total
    assert composed.ledger.transfers["cents"].sum() == total
    assert composed.ledger.charges["cents"].sum() == total
