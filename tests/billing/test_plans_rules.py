"""Instalments add up to the plan, and a plan stands as money and days say."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing.plans.schedule import most_instalments, schedule
from chamberlain.billing.plans.standing import OBLIGATIONS, PLANS, default_sentences, stand
from chamberlain.kernel.periods import add_months

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
PLAN = st.tuples(
    st.integers(1, 50_000_000), st.integers(0, 9_999), st.integers(1, 60), st.integers(1, 12), DAYS
)


def plans_frame(plans):
    names = ("total_cents", "down_basis_points", "instalments", "interval_months", "starts_on")
    return pl.DataFrame(
        [dict(zip(("plan", *names), (i, *plan), strict=True)) for i, plan in enumerate(plans)],
        schema={"plan": pl.Int64, **dict.fromkeys(names[:-1], pl.Int64), "starts_on": pl.Date},
    )


def plainly(total, down_basis_points, count, interval, starts_on):
    """The instalments, one after the other, as a clerk would write them down."""
    down = int(Fraction(total * down_basis_points, 10_000) + Fraction(1, 2))
    rows = [(0, starts_on, down)] if down else []
    left = total - down
    for number in range(1, count + 1):
        cents = -(-left // (count - number + 1))
        months = interval * (number if down_basis_points else number - 1)
        if cents:
            rows.append((number, add_months(starts_on, months), cents))
        left -= cents
    return rows


@given(st.lists(PLAN, min_size=1, max_size=6))
def test_instalments_sum_to_the_plan_to_the_cent(plans):
    found = schedule(plans_frame(plans)).group_by("plan").agg(pl.col("cents").sum())
    assert dict(found.iter_rows()) == {i: plan[0] for i, plan in enumerate(plans)}


@given(st.lists(PLAN, min_size=1, max_size=6))
def test_instalments_are_those_that_a_clerk_would_write_down(plans):
    found = schedule(plans_frame(plans))
    expected = [(i, *row) for i, plan in enumerate(plans) for row in plainly(*plan)]
    assert found.rows() == expected


def test_without_a_down_payment_the_first_instalment_is_due_on_the_first_day():
    found = schedule(plans_frame([(100_01, 0, 3, 1, date(2026, 1, 31))]))
    assert found.select("number", "due_on", "cents").rows() == [
        (1, date(2026, 1, 31), 3334),
        (2, date(2026, 2, 28), 3334),
        (3, date(2026, 3, 31), 3333),
    ]


@pytest.mark.parametrize(
    ("total", "down", "longer", "above", "most"),
    [
        (500_000, 0, None, None, 12),
        (120_000, 0, 36, 10_000, 12),
        (120_001, 0, 36, 10_000, 36),
        (184_615, 3_500, 36, 10_000, 12),
        (184_618, 3_500, 36, 10_000, 36),
    ],
)
def test_more_instalments_are_allowed_where_each_would_be_large(total, down, longer, above, most):
    assert most_instalments(total, down, 12, longer, above) == most


TODAY = date(2026, 3, 15)
OBLIGATION = st.tuples(st.integers(-60, 60), st.integers(1, 500))
STANDING = st.tuples(
    st.integers(0, 1500), st.integers(0, 500), st.integers(0, 20),
    st.lists(OBLIGATION, min_size=1, max_size=6),
)  # fmt: skip


def frames(plans):
    kept = pl.DataFrame(
        [(i, paid, is_open, grace) for i, (paid, is_open, grace, _) in enumerate(plans)],
        schema=PLANS,
        orient="row",
    )
    rows = [
        (i, f"Instalment {n}", TODAY + timedelta(days=days), cents)
        for i, (*_, obligations) in enumerate(plans)
        for n, (days, cents) in enumerate(obligations)
    ]
    return kept, pl.DataFrame(rows, schema=OBLIGATIONS, orient="row")


def stands_plainly(paid, is_open, grace, obligations):
    """Money laid on one obligation after the other in the order of their days."""
    due = late = 0
    first_late = ahead = None
    for days, n, cents in sorted((days, f"Instalment {n}", cents)
                                 for n, (days, cents) in enumerate(obligations)):  # fmt: skip
        missing = max(0, cents - paid)
        paid = max(0, paid - cents)
        if not missing:
            continue
        if days <= 0:
            due += missing
        elif ahead is None:
            ahead = (TODAY + timedelta(days=days), missing)
        if days + grace < 0:
            late += missing
            first_late = first_late or (n, TODAY + timedelta(days=days), cents, missing)
    return (is_open == 0, due, late, *(first_late or [None] * 4), *(ahead or [None] * 2))


@given(st.lists(STANDING, min_size=1, max_size=5))
def test_plans_stand_as_money_laid_on_one_obligation_after_the_other(plans):
    found = stand(*frames(plans), TODAY)
    assert found.drop("plan").rows() == [stands_plainly(*plan) for plan in plans]


def test_a_default_is_said_in_one_sentence():
    kept, obligations = frames([(1_000, 90_000, 10, [(-40, 5_000), (-12, 123_456), (5, 5_000)])])
    late = stand(kept, obligations, TODAY).join(kept.select("plan", "grace_days"), on="plan")
    assert default_sentences(late) == [
        "Instalment 0 of $50.00, due February 3, 2026, was not paid within 10 days of its due "
        "date: $40.00 of it is missing, $1,274.56 in all."
    ]
