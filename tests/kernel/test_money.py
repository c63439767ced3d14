"""Money is whole cents, rates are exact, and both are rounded in one place."""

from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.kernel import money
from chamberlain.kernel.errors import Invalid

NUMERATORS = st.integers(-(10**15), 10**15)
DENOMINATORS = st.integers(1, 10**6)


@given(NUMERATORS, DENOMINATORS)
def test_rounding_is_half_up_as_on_paper(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    on_paper = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert money.round_half_up(numerator, denominator) == on_paper


@given(st.lists(st.tuples(NUMERATORS, DENOMINATORS), min_size=1))
def test_a_column_is_rounded_as_each_of_its_figures(pairs: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(pairs, schema={"n": pl.Int64, "d": pl.Int64}, orient="row")
    rounded = frame.select(money.round_half_up_column(pl.col("n"), pl.col("d")))
    assert rounded.to_series().to_list() == [money.round_half_up(n, d) for n, d in pairs]


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12", 1200),
        ("12.5", 1250),
        ("12.05", 1205),
        ("$1,234.56", 123456),
        (" $ 7 ", 700),
        (".50", 50),
        ("0", 0),
    ],
)
def test_what_a_cashier_types_becomes_cents(typed: str, cents: int) -> None:
    assert money.parse_cents(typed) == cents


@pytest.mark.parametrize(
    "typed", ["", "$", "-5", "1.234", "12,34", "abc", "1e3", "١٢.x", "9" * 17, "1 000"]
)
def test_what_is_not_an_amount_is_refused_beside_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        money.parse_cents(typed, field="tendered")
    assert refused.value.field == "tendered"


@given(st.integers(0, 10**12))
def test_an_amount_that_is_shown_is_read_back_the_same(cents: int) -> None:
    assert money.parse_cents(money.show_cents(cents)) == cents


def test_money_owed_to_the_customer_shows_its_sign_before_the_dollar() -> None:
    assert money.show_cents(-123456) == "-$1,234.56"


def test_dollars_become_cents_half_up_and_never_from_a_float() -> None:
    assert money.cents_of(Decimal("1.005")) == 101
    assert money.cents_of(Decimal("-1.005")) == -101
    with pytest.raises(TypeError):
        money.cents_of(1.005)  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12))
def test_a_rate_keeps_all_of_its_six_decimals(micros: int) -> None:
    assert money.micros_of(money.decimal_of_micros(micros)) == micros


@pytest.mark.parametrize("rate", [2.87, True, "two", "0.0000001", "NaN", "Infinity"])
def test_a_rate_that_would_not_be_exact_is_refused(rate: object) -> None:
    with pytest.raises(Invalid):
        money.micros_of(rate)
