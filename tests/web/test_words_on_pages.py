"""Units, languages and telephones are written one way on every page."""

import pytest

from chamberlain.web.templatetags.office import MINUS, language_name, phone, unit_name, units, usage


def test_a_unit_is_written_in_full() -> None:
    assert unit_name("ccf") == "hundred cubic feet"
    assert unit_name("unit_month") == "unit month"


def test_a_share_of_dollars_is_money_and_usage_is_a_quantity() -> None:
    assert "$45.68" in usage(45_680, "dollar")
    assert "9.14 thousand gallons" in usage(9_140, "kgal")
    assert f"{MINUS}4<" in units(-4_000)


def test_a_language_is_named_and_an_unknown_one_stays_as_it_is() -> None:
    assert language_name("es") == "Spanish"
    assert language_name("xx") == "xx"


@pytest.mark.parametrize("typed", ["3125550142", "312 555 0142", "(312) 555-0142"])
def test_a_telephone_typed_any_way_is_shown_one_way(typed: str) -> None:
    assert phone(typed) == "312-555-0142"


def test_a_masked_telephone_stays_as_it_is() -> None:
    assert phone("***-***-0142") == "***-***-0142"
