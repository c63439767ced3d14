"""Meters are put in, read, exchanged; a read must be able to follow the one before."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.metering import operations, queries
from chamberlain.metering.dials import usage_column, usage_of
from chamberlain.registry.models import PropertyType
from chamberlain.registry.operations import add_service_point, register_property
from tests.office import DAY, make_actor

PUT_IN = date(2026, 1, 1)


def day(number: int) -> date:
    return PUT_IN + timedelta(days=number)


@pytest.fixture
def clerk(db):
    PropertyType.objects.create(code="house", name="House")
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def point(clerk):
    house = register_property(clerk, "P1", "4415 N Kedzie Ave", "60625", "house")
    return add_service_point(clerk, house, "SP-1")


def put_in(clerk, point, serial="M1", on=PUT_IN, **more):
    more = {"size": '5/8"', "unit": "ccf", **more}
    return operations.install_meter(clerk, serial, point, on, **more)


def test_usage_is_counted_from_the_read_before(clerk, point):
    put_in(clerk, point, register=100)
    operations.record_read(clerk, "M1", day(59), 116, DAY)
    operations.record_read(clerk, "M1", day(60), 120, DAY, "customer")
    assert [(r.from_on, r.usage_thousandths, r.quality) for r in queries.reads(point)] == [
        (day(59), 4_000, "customer"),
        (PUT_IN, 16_000, "actual"),
    ]


def test_a_meter_that_started_again_at_zero_is_counted_over_the_rollover(clerk, point):
    put_in(clerk, point, dials=4, register=9_990)
    operations.record_read(clerk, "M1", day(30), 12, DAY)
    assert queries.reads(point)[0].usage_thousandths == 22_000


@pytest.mark.parametrize(
    ("on", "register", "refusal"),
    [
        (day(30), 50, operations.ImplausibleRead),
        (PUT_IN, 150, NotFound),
        (day(30), 1_000_000, Invalid),
        (day(30), -1, Invalid),
        (DAY + timedelta(days=1), 150, Invalid),
    ],
)
def test_a_read_that_cannot_be_is_refused_and_nothing_is_recorded(
    clerk, point, on, register, refusal
):
    put_in(clerk, point, register=100)
    with pytest.raises(refusal):
        operations.record_read(clerk, "M1", on, register, DAY)
    assert queries.reads(point) == []


def test_a_read_is_later_than_the_last(clerk, point):
    put_in(clerk, point)
    operations.record_read(clerk, "M1", day(30), 10, DAY)
    with pytest.raises(operations.ImplausibleRead, match="was read on January 31"):
        operations.record_read(clerk, "M1", day(30), 11, DAY)


def test_a_read_of_an_unknown_meter_or_quality_is_refused(clerk, point):
    put_in(clerk, point)
    with pytest.raises(NotFound):
        operations.record_read(clerk, "M2", day(30), 10, DAY)
    with pytest.raises(Invalid):
        operations.record_read(clerk, "M1", day(30), 10, DAY, "guess")


def test_a_cashier_does_not_read_meters(clerk, point):
    put_in(clerk, point)
    with pytest.raises(NotPermitted):
        operations.record_read(make_actor("casey", Role.CASHIER), "M1", day(30), 10, DAY)


def test_a_period_with_an_exchange_is_one_read_of_both_meters(clerk, point):
    put_in(clerk, point, register=100)
    operations.exchange_meter(
        clerk, point, day(20), last_register=108, serial="M2", size='1"', unit="ccf", register=5
    )
    operations.record_read(clerk, "M2", day(40), 11, DAY)
    assert [(r.meter, r.from_on, r.usage_thousandths) for r in queries.reads(point)] == [
        ("M2", PUT_IN, 14_000)
    ]
    assert [(m.serial, m.until) for m in queries.meters(point)] == [("M2", None), ("M1", day(20))]
    with pytest.raises(NotFound):
        operations.record_read(clerk, "M1", day(41), 120, DAY)


def test_an_exchange_with_a_wrong_figure_leaves_the_old_meter_in(clerk, point):
    put_in(clerk, point, register=100)
    with pytest.raises(operations.ImplausibleRead):
        operations.exchange_meter(
            clerk, point, day(20), last_register=90, serial="M2", size='1"', unit="ccf"
        )
    assert [m.serial for m in queries.meters(point)] == ["M1"]


def test_a_removed_meter_can_be_put_in_elsewhere_later(clerk, point):
    put_in(clerk, point)
    operations.remove_meter(clerk, point, day(20), 9)
    with pytest.raises(NotFound):
        operations.remove_meter(clerk, point, day(21), 9)
    put_in(clerk, point, on=day(25), register=9)
    assert len(queries.meters(point)) == 2


def test_a_meter_is_in_one_place_and_a_place_has_one_meter(clerk, point):
    put_in(clerk, point)
    house = register_property(clerk, "P2", "121 N LaSalle St", "60602", "house")
    other = add_service_point(clerk, house, "SP-2")
    with pytest.raises(AlreadyDone, match="remove it"):
        put_in(clerk, other)
    with pytest.raises(AlreadyDone, match="exchange"):
        put_in(clerk, point, serial="M2")


@pytest.mark.parametrize(
    "wrong",
    [{"serial": "_"}, {"unit": "litre"}, {"dials": 2}, {"dials": 10}, {"register": 10**6}],
)
def test_a_meter_that_cannot_be_is_refused(clerk, point, wrong):
    with pytest.raises(Invalid):
        put_in(clerk, point, **wrong)


def test_a_meter_needs_a_service_point(clerk):
    with pytest.raises(NotFound):
        put_in(clerk, 0)


@given(
    st.lists(
        st.tuples(st.integers(3, 9), st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1)).map(
            lambda row: (row[0], row[1] % 10 ** row[0], row[2] % 10 ** row[0])
        ),
        min_size=1,
    )
)
def test_the_usage_of_a_frame_is_the_usage_of_each_row(rows):
    frame = pl.DataFrame(rows, schema=["dials", "before", "now"], orient="row")
    found = frame.select(used=usage_column(pl.col("before"), pl.col("now"), pl.col("dials")))
    expected = [usage_of(before, now, dials) for dials, before, now in rows]
    assert found["used"].to_list() == expected
    assert all(used is None or 0 <= used < 10**9 for used in expected)
