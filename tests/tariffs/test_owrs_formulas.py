"""How formulas of a tariff are read."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.tariffs.owrs.faults import Flaw
from chamberlain.tariffs.owrs.formula import (
    Expression,
    Name,
    Negative,
    Number,
    Operation,
    Percent,
    names,
    parse,
)


def value(tree: Expression, usage: int = 0) -> Fraction:
    match tree:
        case Number(number):
            return Fraction(number)
        case Name():
            return Fraction(usage)
        case Negative(operand):
            return -value(operand, usage)
        case Operation(operator, left, right):
            a, b = value(left, usage), value(right, usage)
            return {
                "+": lambda: a + b,
                "-": lambda: a - b,
                "*": lambda: a * b,
                "/": lambda: a / b,
                "^": lambda: a ** int(b),
            }[operator]()
    raise AssertionError(tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1+2*3", "7"),
        ("(1+2)*3", "9"),
        ("10-4-3", "3"),
        ("100/5/2", "10"),
        ("2^3^2", "512"),
        ("-2^2", "-4"),
        ("2^-1", "1/2"),
        ("2*-3", "-6"),
        ("--2", "2"),
        (".5*4", "2"),
        ("1.5e2+1", "151"),
        ("((number_dwelling_units-1)*8*0.55)+8", "12.4"),
    ],
)
def test_operators_bind_as_in_arithmetic(text: str, expected: str) -> None:
    assert value(parse(text), usage=2) == Fraction(expected)


@given(
    st.recursive(
        st.integers(0, 9).map(str),
        lambda inner: st.one_of(
            st.builds("({}{}{})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("{}{}{}".format, inner, st.sampled_from("+-*"), inner),
            st.builds("-{}".format, inner),
        ),
        max_leaves=12,
    )
)
def test_sums_and_products_mean_what_python_makes_of_them(text: str) -> None:
    assert value(parse(text)) == eval(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+",
        "1 2",
        "a b",
        "(1",
        "1)",
        "*2",
        "$4",
        "a=1",
        "f(x)",
        "1..2",
        "a,b",
        "x;y",
        '"a"',
        "flat_rate*usage_ccf flat_rate:4.1165",
        "__import__('os')",
        "a[0]",
        "a.b()",
        "1,234",
    ],
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(Flaw):
        parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(" * 60 + "1" + ")" * 60, "nested deeper"),
        ("-" * 300 + "1", "nested deeper"),
        ("2" + "^2" * 199, "nested deeper"),
        ("+".join("1" * 300), "parts"),
        ("1" * 3_000, "longer"),
        ("usage_ccf/0", "divides by zero"),
    ],
)
def test_formulas_that_no_tariff_has_are_refused(text: str, reason: str) -> None:
    with pytest.raises(Flaw, match=reason):
        parse(text)


def test_prices_stay_the_decimals_that_were_written() -> None:
    assert parse("3.1415926535897932384626") == Number(Decimal("3.1415926535897932384626"))


def test_a_percentage_is_a_share_of_the_budget() -> None:
    assert parse("125%") == Percent(Decimal(125))


def test_names_come_out_left_to_right() -> None:
    assert list(names(parse("hhsize*gpcd-(a/b)^c"))) == ["hhsize", "gpcd", "a", "b", "c"]
