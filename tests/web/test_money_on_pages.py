"""How the pages write amounts, dates and shares."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.web.templatetags import office

AMOUNTS = st.integers(min_value=-(10**15), max_value=10**15)


@given(AMOUNTS)
def test_an_amount_is_written_to_the_cent_with_thousands_separated(cents: int) -> None:
    digits = f"{Decimal(abs(cents)) / 100:,.2f}"
    assert office.money_text(cents) == ("\N{MINUS SIGN}" if cents < 0 else "") + f"${digits}"


@given(AMOUNTS.filter(lambda cents: cents < 0))
def test_a_negative_amount_is_also_spoken_as_minus(cents: int) -> None:
    amount = office.money_text(-cents)
    assert f'<span class="usa-sr-only">minus {amount}</span>' in office.money(cents)


@pytest.mark.parametrize(
    ("cents", "form", "said"),
    [
        (123456, "", '<span class="money">$1,234.56</span>'),
        (0, "signed", '<span class="money">$0.00</span>'),
        (-2500, "credit", '<span class="money money--credit">$25.00 credit</span>'),
        (2500, "credit", '<span class="money">$25.00</span>'),
    ],
)
def test_an_amount_takes_the_form_that_the_page_asks_for(cents: int, form: str, said: str) -> None:
    assert office.money(cents, form) == said


def test_over_and_short_carry_their_sign() -> None:
    assert "+$0.15" in office.money(15, "signed")
    assert "plus $0.15" in office.money(15, "signed")


def test_a_negative_amount_is_red_unless_the_page_says_that_it_is_no_alarm() -> None:
    assert "money--negative" in office.money(-1)
    assert "money--negative" not in office.money(-1, "open")


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_no_amount_is_a_dash_that_is_spoken_as_none(nothing: str | None) -> None:
    assert office.money(nothing) == office.NOTHING
    assert office.money_text(nothing) == ""
    assert office.day(nothing) == office.moment(nothing) == office.quantity(nothing)


@pytest.mark.parametrize("wrong", [12.5, True, "12.50", Decimal("1.5")])
def test_a_float_or_text_is_never_shown_as_money(wrong: object) -> None:
    with pytest.raises(TypeError):
        office.money(wrong)


def test_an_instant_is_shown_in_the_time_of_the_city() -> None:
    instant = dt.datetime(2026, 3, 11, 3, 5, tzinfo=dt.UTC)
    assert ">Mar 10, 2026, 10:05 PM<" in office.moment(instant)
    assert ">Mar 10, 2026<" in office.day(instant)


def test_a_day_is_shown_without_a_clock() -> None:
    assert office.day(dt.date(2016, 3, 1)) == '<time datetime="2016-03-01">Mar 1, 2016</time>'
    assert office.moment("2016-03-01") == office.day("2016-03-01")
    with pytest.raises(TypeError):
        office.day(20160301)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_progress_stays_between_nothing_and_all(done: int, total: int) -> None:
    shown = office.share(done, total)
    assert 0 <= shown <= 100
    assert (shown == 100) == (total > 0 and done >= total)
