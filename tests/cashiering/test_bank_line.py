"""The bottom line of a check, as scanners write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.cashiering.checks.bank_line import (
    BankLine,
    is_bank_line,
    is_routing_number,
    read,
)
from chamberlain.kernel.errors import Invalid

PERSONAL = BankLine("021000021", "123456789", "1001")


@pytest.mark.parametrize(
    "text",
    [
        "t021000021t123456789o1001",
        "T021000021T 123456789O 1001",
        "⑆021000021⑆ 123456789⑈ 1001",
        "o001001o t021000021t 123456789o",
        "t021000021t 12345-6789o 1001 a0000010000a",
    ],
)
def test_a_line_is_read_as_scanners_write_it(text):
    assert is_bank_line(text)
    assert read(text) == PERSONAL
    assert read(text).account_end == "6789"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("t021000022t123456789o1001", "021000022 is no routing number"),
        ("t02100002t123456789o1001", "is no routing number"),
        ("t000000000t123456789o1001", "is no routing number"),
        ("t021000021to1001", "has no account"),
        ("t021000021t123456789o", "has no check number"),
        ("1001", "is no bottom line"),
        ("t021000021t" + "1" * 90, "is no bottom line"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(text, sentence):
    with pytest.raises(Invalid, match=sentence):
        read(text)


@given(st.from_regex(r"[0-9]{1,15}", fullmatch=True))
def test_a_number_alone_is_no_line(number):
    assert not is_bank_line(number)


@given(st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_of_a_routing_number_is_found(place, more):
    good = "071000013"
    assert is_routing_number(good)
    digit = (int(good[place]) + more) % 10
    wrong = good[:place] + str(digit) + good[place + 1 :]
    assert wrong == good or not is_routing_number(wrong)
