"""Ranges of numbers as they are typed, and taken from each other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.cashiering.stock.numbers import Numbering, Span, both, count, merged, without
from chamberlain.kernel.errors import Invalid

STICKER = Numbering("S", 6)
spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda each: Span(each[0], sum(each))),
    max_size=8,
)


def numbers(of):
    return {n for span in of for n in range(span.first, span.last + 1)}


@given(spans, spans)
def test_ranges_are_taken_from_each_other_as_sets_are(left, right):
    assert numbers(without(left, right)) == numbers(left) - numbers(right)
    assert numbers(both(left, right)) == numbers(left) & numbers(right)
    assert numbers(merged(left)) == numbers(left)
    assert count(merged(left)) == len(numbers(left))


@given(spans)
def test_what_is_shown_can_be_typed_again(some):
    wanted = merged(some)
    if wanted:
        assert STICKER.typed(STICKER.listed(wanted, most=99), "numbers") == wanted


@given(spans)
def test_merged_ranges_do_not_touch(some):
    found = merged(some)
    assert all(b.first > a.last + 1 for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("412", [Span(412, 412)]),
        ("S000412", [Span(412, 412)]),
        ("s412 - S430", [Span(412, 430)]),
        ("412–430, 431", [Span(412, 431)]),
        ("412 to 413\n420", [Span(412, 413), Span(420, 420)]),
    ],
)
def test_numbers_are_typed_with_their_prefix_or_without(text, wanted):
    assert STICKER.typed(text, "numbers") == wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type the numbers"),
        ("43O", "“43O” is no number like S000412"),
        ("430-412", "The range 430-412 ends before it starts"),
        ("1-5, 5", "S000005 is typed twice"),
        ("1-2-3", "is no range"),
        ("1234567", "is no number like"),
        ("1," * 600, "more than 500 ranges"),
        ("1" * 20_001, "too long"),
    ],
)
def test_what_is_no_number_is_named(text, sentence):
    with pytest.raises(Invalid, match=sentence) as refusal:
        STICKER.typed(text, "numbers")
    assert refusal.value.field == "numbers"


def test_a_long_list_says_how_many_more_there_are():
    many = [Span(n, n) for n in range(0, 40, 2)]
    assert STICKER.listed(many, 2) == "S000000, S000002 and 18 more"
