"""Each rule of the usage watch, over frames, against a plain oracle that looks at one read."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chamberlain.metering.dials import usage_of
from chamberlain.metering.watching import comparing, rules, words
from chamberlain.metering.watching.terms import Rule, Terms
from chamberlain.tariffs.units import factor

START = date(2024, 1, 1)
FIGURES = {
    "high": {
        "percent_of_last_year": 300,
        "percent_of_usual": 250,
        "percent_of_class": 400,
        "least_more_gallons": 20,
    },
    "low": {"percent_of_last_year": 40, "percent_of_usual": 30, "least_before_gallons": 10},
    "zero": {"least_days": 25},
    "reversed": {},
    "stopped": {"reads": 2},
    "estimated": {"reads": 3},
    "leak": {
        "reads": 2,
        "percent_of_usual": 150,
        "spread_percent": 30,
        "least_more_gallons": 10,
    },
}
USUAL_DAYS = 200
CLASS_DAILY = 30_000


def terms(*codes: str, except_types: tuple[str, ...] = ()) -> Terms:
    return Terms(
        START,
        100,
        USUAL_DAYS,
        tuple(
            Rule(code, 2, code == "high", FIGURES[code], except_types) for code in codes or FIGURES
        ),
        "test",
        False,
    )


@dataclass(frozen=True)
class R:
    """A read as the oracle sees it."""

    id: int
    point: int
    from_on: date
    to_on: date
    usage: int
    register: int | None = None
    is_measured: bool = True
    is_verified: bool = False
    is_new: bool = False
    unit: str = "gal"
    meter: int | None = 1
    dials: int | None = 4

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days

    @property
    def gallons(self) -> int:
        return half_up(self.usage * factor(self.unit, "gal"))

    @property
    def daily(self) -> int:
        return half_up(Fraction(self.gallons, self.days))


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def frame(reads: list[R]) -> pl.DataFrame:
    rows = [
        (r.id, r.point, r.meter, r.from_on, r.to_on, r.usage, r.unit, r.register,
         r.dials if r.meter else None, r.is_measured, r.is_verified, r.is_new)
        for r in reads
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=comparing.READS, orient="row")


PLACES = pl.DataFrame(
    {
        "service_point_id": [1, 2],
        "property_type": ["house", "vacant"],
        "dwelling_units": [0, 2],
    },
    schema=rules.PLACES,
)
UNTIL = START + timedelta(days=500)
HOLDERS = pl.DataFrame([(1, 7, START, UNTIL)], schema=rules.HOLDERS, orient="row")
CLASSES = pl.DataFrame([("house", CLASS_DAILY)], schema=rules.CLASSES, orient="row")


def found(reads: list[R], wanted: Terms) -> pl.DataFrame:
    return rules.found(frame(reads), PLACES, HOLDERS, CLASSES, wanted)


def shown(reads: list[R], wanted: Terms) -> set[tuple[int, str]]:
    result = found(reads, wanted)
    return set(zip(result["read_id"].to_list(), result["rule"].to_list(), strict=True))


# The oracle


def valid(reads: list[R]) -> list[R]:
    """Without reads that a later one of the same meter took the place of."""
    return [
        r
        for r in reads
        if not any(
            s.id > r.id
            and (s.point, s.meter) == (r.point, r.meter)
            and s.from_on < r.to_on
            and s.to_on > r.from_on
            for s in reads
        )
    ]


def a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


class Past:
    """What a plain look at one read knows of those before it."""

    def __init__(self, read: R, reads: list[R]) -> None:
        self.read = read
        self.line = sorted(
            (r for r in valid(reads) if r.point == read.point), key=lambda r: (r.to_on, r.id)
        )
        self.place = self.line.index(read)

    def usual(self, before: date) -> int | None:
        used = [
            r
            for r in self.line
            if r.is_measured
            and r.gallons >= 0
            and r.to_on <= before
            and r.from_on >= before - timedelta(days=USUAL_DAYS)
        ]
        if not used:
            return None
        return half_up(Fraction(sum(r.gallons for r in used), sum(r.days for r in used)))

    def last_year(self) -> int | None:
        since, until = a_year_before(self.read.from_on), a_year_before(self.read.to_on)
        share = days = 0
        for r in self.line:
            common = (min(r.to_on, until) - max(r.from_on, since)).days
            if common > 0 and r.is_measured and r.gallons >= 0 and r.to_on <= self.read.from_on:
                share += half_up(Fraction(r.gallons * common, r.days))
                days += common
        if days == 0 or 2 * days < (until - since).days:
            return None
        return half_up(Fraction(share, days))

    def register_before(self) -> int | None:
        for r in reversed(self.line[: self.place]):
            if r.meter == self.read.meter and r.is_measured and r.register is not None:
                return r.register
        return None

    def measured(self) -> list[R]:
        """The measured reads up to this one, the latest first."""
        return [r for r in reversed(self.line[: self.place + 1]) if r.is_measured]

    def zeros(self) -> int:
        count = 0
        for r in self.measured():
            if r.gallons != 0:
                break
            count += 1
        return count

    def estimates(self) -> int:
        count = 0
        for r in reversed(self.line[: self.place + 1]):
            if r.is_measured:
                break
            count += 1
        return count


def is_high(read: R, past: Past) -> bool:
    figures = FIGURES["high"]
    known = [
        (past.last_year(), figures["percent_of_last_year"]),
        (past.usual(read.from_on), figures["percent_of_usual"]),
    ]
    known = [(base, percent) for base, percent in known if base is not None]
    if not known:
        if read.point != 1:
            return False
        known = [(CLASS_DAILY, figures["percent_of_class"])]
    return all(
        Fraction(read.daily) >= Fraction(base * percent, 100)
        and read.daily - base >= figures["least_more_gallons"] * 1000
        for base, percent in known
    )


def is_low(read: R, past: Past) -> bool:
    figures = FIGURES["low"]
    known = [
        (past.last_year(), figures["percent_of_last_year"]),
        (past.usual(read.from_on), figures["percent_of_usual"]),
    ]
    known = [(base, percent) for base, percent in known if base is not None]
    return (
        read.gallons > 0
        and bool(known)
        and all(
            base >= figures["least_before_gallons"] * 1000
            and Fraction(read.daily) <= Fraction(base * percent, 100)
            for base, percent in known
        )
    )


def has_holder(read: R) -> bool:
    return read.point == 1 and START <= read.to_on - timedelta(days=1) < UNTIL


def went_back(read: R, past: Past) -> bool:
    before = past.register_before() if read.meter is not None else None
    if before is None or read.register is None or read.dials is None:
        return read.gallons < 0
    return usage_of(before, read.register, read.dials) is None


def is_leak(read: R, past: Past) -> bool:
    figures = FIGURES["leak"]
    run = past.measured()[: figures["reads"]]
    if not read.is_measured or len(run) < figures["reads"]:
        return False
    usual = past.usual(run[-1].from_on)
    if usual is None:
        return False
    least, most = min(r.daily for r in run), max(r.daily for r in run)
    last_year = past.last_year()
    return (
        Fraction(least) >= Fraction(usual * figures["percent_of_usual"], 100)
        and least - usual >= figures["least_more_gallons"] * 1000
        and Fraction(most) <= Fraction(least * (100 + figures["spread_percent"]), 100)
        and (
            last_year is None
            or Fraction(read.daily) >= Fraction(last_year * figures["percent_of_usual"], 100)
        )
    )


def expected(reads: list[R]) -> set[tuple[int, str]]:
    out: set[tuple[int, str]] = set()
    for read in valid(reads):
        if not read.is_new:
            continue
        past = Past(read, reads)
        asked = read.is_measured and not read.is_verified
        found_here = set()
        if asked and is_high(read, past):
            found_here.add("high")
        if asked and is_low(read, past):
            found_here.add("low")
        if asked and read.gallons == 0 and read.days >= 25 and has_holder(read):
            found_here.add("zero")
        if asked and went_back(read, past):
            found_here.add("reversed")
        was_used = any(r.gallons > 0 for r in past.measured())
        if read.is_measured and past.zeros() >= 2 and was_used:
            found_here.add("stopped")
        if past.estimates() >= 3:
            found_here.add("estimated")
        if is_leak(read, past):
            found_here.add("leak")
        if "stopped" in found_here:
            found_here.discard("zero")
        if "reversed" in found_here:
            found_here -= {"zero", "low"}
        out |= {(read.id, rule) for rule in found_here}
    return out


@st.composite
def histories(draw: st.DrawFn) -> list[R]:
    """Reads of two service points one after another, some corrected by later ones."""
    reads: list[R] = []
    for point in (1, 2):
        day, register = START, 5_000
        for _ in range(draw(st.integers(0, 14))):
            end = day + timedelta(days=draw(st.sampled_from([1, 20, 30, 30, 61, 61, 100])))
            daily = draw(st.sampled_from([0, 0, 5, 9, 12, 30, 31, 60, 100, 150, 200, -3]))
            usage = daily * (end - day).days * 1000 + draw(st.sampled_from([0, 0, 1, 499]))
            register = (register + usage // 1000) % 10_000
            reads.append(
                R(
                    0,
                    point,
                    day,
                    end,
                    usage,
                    draw(st.sampled_from([None, register, register, register - 500])),
                    draw(st.sampled_from([True, True, True, False])),
                    draw(st.sampled_from([False, False, False, True])),
                    draw(st.booleans()),
                    meter=draw(st.sampled_from([1, 1, 1, 2, None])),
                )
            )
            if draw(st.integers(0, 9)) == 0:
                reads.append(R(0, point, day, end, usage // 2, register, meter=reads[-1].meter))
            day = end + timedelta(days=draw(st.sampled_from([0, 0, 0, 40])))
    return [
        R(**{**{f: getattr(r, f) for f in R.__dataclass_fields__}, "id": i + 1})
        for i, r in enumerate(reads)
    ]


def month(number: int) -> tuple[date, date]:
    return START + timedelta(days=30 * number), START + timedelta(days=30 * (number + 1))


def monthly(*daily: int, point: int = 1, **last: object) -> list[R]:
    """Thirty days each at so many gallons a day; the last is new."""
    reads = []
    for i, each in enumerate(daily):
        is_last = i == len(daily) - 1
        more = last if is_last else {}
        reads.append(R(i + 1, point, *month(i), each * 30_000, is_new=is_last, **more))  # type: ignore[arg-type]
    return reads


@settings(max_examples=300)
@given(histories())
@example(monthly(*[40] * 12, 121))
@example(monthly(40, 40, 0, 0))
def test_what_is_found_over_frames_is_what_a_plain_look_at_each_read_finds(reads: list[R]) -> None:
    assert shown(reads, terms()) == expected(reads)


@given(st.sampled_from(sorted(comparing.GALLONS)), st.integers(-(10**9), 10**12))
def test_usage_in_gallons_is_exact_for_every_unit_but_the_kilolitre(unit: str, usage: int) -> None:
    read = R(1, 1, *month(0), usage, unit=unit)
    found = comparing.in_gallons(frame([read]))
    if unit == "kl":
        assert abs(found["gallons"][0] - read.gallons) <= abs(usage) // 10**6 + 1
    else:
        assert found["gallons"][0] == read.gallons
        assert found["daily"][0] == read.daily


def said(reads: list[R], rule: str) -> list[str]:
    result = found(reads, terms(rule))
    return [words.sentence(row) for row in result.iter_rows(named=True)]


def test_a_finding_is_said_with_its_figures() -> None:
    assert said(monthly(*[40] * 13, 121), "high") == [
        "121 gallons a day against 40 in the same period of last year and 40 usually."
    ]
    assert said(monthly(150), "high") == [
        "150 gallons a day against 30 that properties of its class use."
    ]
    assert said(monthly(40, 40, 2), "low") == ["Only 2 gallons a day against 40 usually."]
    assert said(monthly(40, 0), "zero") == [
        "No usage in 30 days, though somebody holds the account; it was 40 gallons a day before."
    ]
    assert said(monthly(0), "zero") == ["No usage in 30 days, though somebody holds the account."]
    assert said(monthly(40, 0, 0), "stopped") == [
        "No usage in 2 reads in a row (60 days), after 40 gallons a day before."
    ]
    assert said(monthly(-1), "reversed") == [
        "The usage is below zero: −1 gallons a day over 30 days."
    ]
    assert said(monthly(30, 30, 60, 66), "leak") == [
        "A steady 60 to 66 gallons a day until April 29, 2024, after 30 usually."
    ]
    assert said(monthly(30, 30, 60, 60), "leak") == [
        "A steady 60 gallons a day until April 29, 2024, after 30 usually."
    ]


def test_a_register_that_went_back_is_said_with_both_figures() -> None:
    first, second = R(1, 1, *month(0), 0, 5_000), R(2, 1, *month(1), 0, 4_100, is_new=True)
    assert said([first, second], "reversed") == [
        "The register shows 4,100 after 5,000, which no rollover explains."
    ]


def test_three_estimates_in_a_row_are_said_with_the_last_day_somebody_read() -> None:
    reads = [R(i + 1, 1, *month(i), 30_000, is_measured=i == 0, is_new=i == 3) for i in range(4)]
    assert said(reads, "estimated") == [
        "3 estimates in a row: nobody has read the meter since January 31, 2024."
    ]


def test_usage_after_an_estimate_that_was_too_high_is_no_meter_that_went_back() -> None:
    reads = [
        R(1, 1, *month(0), 0, 5_000),
        R(2, 1, *month(1), 900_000, 5_900, is_measured=False),
        R(3, 1, *month(2), -300_000, 5_600, is_new=True),
    ]
    assert shown(reads, terms("reversed")) == set()


@pytest.mark.parametrize("rule", ["zero", "stopped", "low"])
def test_a_rule_leaves_out_the_property_types_that_the_city_names(rule: str) -> None:
    reads = monthly(40, 0, 0) if rule != "low" else monthly(40, 2)
    assert shown(reads, terms(rule)) == {(len(reads), rule)}
    assert shown(reads, terms(rule, except_types=("house",))) == set()


def test_without_rules_or_reads_nothing_is_found() -> None:
    assert found(monthly(40, 0), Terms(START, 100, 100, (), "test", False)).is_empty()
    assert found([], terms()).is_empty()


@pytest.mark.parametrize(
    ("thousandths", "text"),
    [(0, "0 gallons"), (1000, "1 gallon"), (121_499, "121 gallons"), (1_210_500, "1,211 gallons"),
     (1250, "1.3 gallons"), (9_960, "10.0 gallons"), (-500, "−0.5 gallons")],
)  # fmt: skip
def test_gallons_are_written_whole_or_with_a_tenth_where_they_are_few(
    thousandths: int, text: str
) -> None:
    assert words.gallons(thousandths) == text
