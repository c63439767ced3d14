"""The city works on weekdays that are no holidays."""

from datetime import date

from chamberlain.kernel.calendar import BusinessCalendar

ILLINOIS = BusinessCalendar("US", "IL", closed_days=frozenset({date(2026, 3, 2)}))


def test_weekends_and_public_holidays_are_no_business_days() -> None:
    assert not ILLINOIS.is_business_day(date(2026, 2, 28))
    assert not ILLINOIS.is_business_day(date(2026, 7, 3)), "observed Independence Day"
    assert ILLINOIS.is_business_day(date(2026, 7, 2))


def test_a_day_that_the_city_closes_on_its_own_is_none_either() -> None:
    assert not ILLINOIS.is_business_day(date(2026, 3, 2))


def test_what_falls_due_on_a_closed_day_waits_for_the_next_business_day() -> None:
    assert ILLINOIS.on_or_after(date(2026, 2, 28)) == date(2026, 3, 3)
    assert ILLINOIS.on_or_after(date(2026, 3, 3)) == date(2026, 3, 3)


def test_business_days_of_a_week() -> None:
    week = ILLINOIS.business_days(date(2026, 2, 28), date(2026, 3, 7))
    assert [day.day for day in week] == [3, 4, 5, 6]
