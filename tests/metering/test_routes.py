"""Routes: read in from a file, due on work days, walked with a sheet, typed in its order."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted
from chamberlain.kernel.periods import add_months
from chamberlain.metering.importing import import_reads
from chamberlain.metering.models import Installation, Meter, Read, ReadException
from chamberlain.metering.operations import ImplausibleRead, record_estimate, record_read
from chamberlain.metering.routes import operations, queries
from chamberlain.metering.routes.cycles import CycleTerms, load_cycles, work_calendar
from chamberlain.metering.routes.days import Rhythm, turn_of
from chamberlain.metering.routes.low_reads import record_low_read, settle_low_reads
from chamberlain.metering.routes.models import Route, RouteFile, Stop
from chamberlain.metering.routes.tasks import settle_low_reads_by_night
from chamberlain.registry.models import Property, PropertyType, ServicePoint
from tests.office import DAY, NOW, make_actor

CYCLE = CycleTerms("bimonthly", "Every two months", 2, 1, 20, 7, "chosen for the test", False)
MONTHLY = CycleTerms("monthly", "Every month", 1, 1, 20, 5, "chosen for the test", False)
AFTER_PULASKI_DAY = date(2026, 3, 3)
HEAD = "route,name,cycle,work_day,sequence,service_point,note\n"


def streets(houses: int = 3) -> list[ServicePoint]:
    """Houses with a meter each, and the city's cycles."""
    load_cycles(program_actor(), [CYCLE, MONTHLY], "US", "IL", [])
    house = PropertyType.objects.create(code="house", name="House")
    points = []
    for i in range(houses):
        place = Property.objects.create(
            parcel_number=f"P{i}", address=f"{i} Main St", postal_code="60601", property_type=house
        )
        point = ServicePoint.objects.create(property=place, code=f"SP{i}")
        meter = Meter.objects.create(serial=f"M{i}", size="5/8", unit="mcf")
        Installation.objects.create(
            meter=meter, service_point=point, period=DateRange(date(2025, 1, 1), None)
        )
        points.append(point)
    return points


def kept(text: str) -> int:
    return operations.keep_route_file(program_actor(), text.encode(), "routes.csv", NOW)


def route(houses: int = 3, code: str = "N-1", cycle: str = "bimonthly") -> str:
    lines = "".join(
        f"{code},North,{cycle},1,{10 * (i + 1)},SP{i},{'by the gate' if i == 0 else ''}\n"
        for i in range(houses)
    )
    operations.read_in_routes(program_actor(), kept(HEAD + lines), NOW)
    return code


def faults(*lines: str) -> list[str]:
    _, found = operations.look_at_route_file(program_actor(), kept(HEAD + "\n".join(lines)))
    return [str(fault) for fault in found.faults]


@pytest.mark.django_db
def test_a_file_of_routes_is_looked_at_and_read_in() -> None:
    streets()
    file_id = kept(HEAD + "N-1,North,bimonthly,3,20,SP1,\nN-1,,bimonthly,3,10,SP0,by the gate\n")
    name, found = operations.look_at_route_file(program_actor(), file_id)
    assert (name, found.stops.height, found.faults) == ("routes.csv", 2, ())
    assert not Route.objects.exists()
    result = operations.read_in_routes(program_actor(), file_id, NOW)
    assert (result.routes, result.stops) == (1, 2)
    row = queries.route("N-1", DAY)
    assert (row.name, row.work_day, row.stops) == ("North", 3, 2)
    sheet = queries.stops(row)
    assert [(stop.sequence, stop.service_point, stop.note) for stop in sheet] == [
        (10, "SP0", "by the gate"), (20, "SP1", ""),
    ]  # fmt: skip
    with pytest.raises(AlreadyDone, match="read in before"):
        operations.read_in_routes(program_actor(), file_id, NOW)
    with pytest.raises(AlreadyDone, match="read in another one"):
        operations.drop_route_file(program_actor(), file_id)


@pytest.mark.django_db
def test_a_route_is_replaced_as_a_whole_and_others_stay() -> None:
    streets()
    route(2)
    operations.read_in_routes(program_actor(), kept(HEAD + "S-1,South,monthly,2,1,SP2,\n"), NOW)
    operations.read_in_routes(program_actor(), kept(HEAD + "N-1,Far,monthly,2,5,SP1,\n"), NOW)
    assert [(r.code, r.name, r.stops) for r in queries.routes(DAY)] == [
        ("N-1", "Far", 1), ("S-1", "South", 1),
    ]  # fmt: skip
    assert Stop.objects.count() == 2


@pytest.mark.django_db
def test_each_wrong_line_has_one_sentence() -> None:
    streets()
    route(1, "OLD")
    assert faults(
        ",North,bimonthly,1,1,SP1,",
        "A,North,weekly,1,1,SP1,",
        "B,North,bimonthly,x,1,SP1,",
        "C,North,bimonthly,21,1,SP1,",
        "D,North,bimonthly,1,0,SP1,",
        "E,North,bimonthly,1,1,NONE,",
        "F,North,bimonthly,1,1,SP0,",
        "G,North,bimonthly,1,1,SP2,",
        "G,North,bimonthly,2,2,SP1,",
        "G,North,bimonthly,1,1,SP1,",
        "G,North,bimonthly,1,3,SP2,",
        "H,North,bimonthly,1,4,SP2,note,more",
        f"{'I' * 25},North,bimonthly,1,4,SP2,",
    ) == [
        "line 2: The line names no route.",
        "line 3: There is no cycle “weekly”; use one of the city's.",
        "line 4: “x” is no work day; give 1 for the first of the month.",
        "line 5: Routes of this cycle are read on the first 20 work days; 21 is later.",
        "line 6: “0” is no place in the order; give a whole number from 1.",
        "line 7: There is no service point “NONE”; add it to its property first.",
        "line 8: Service point SP0 is on route OLD already; give that route too.",
        "line 10: Route G has another cycle or work day above; give it the same.",
        "line 11: Route G has a stop 1 above already.",
        "line 12: Service point SP2 is on a line above already.",
        "line 13: The line has not as many fields as the heading.",
        "line 14: The route has more than 24 characters; shorten it.",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_file_with_a_wrong_line_changes_nothing() -> None:
    streets()
    file_id = kept(HEAD + "A,North,bimonthly,1,1,SP1,\nA,North,bimonthly,1,2,NONE,\n")
    with pytest.raises(BadFile, match="line 3"):
        operations.read_in_routes(program_actor(), file_id, NOW)
    assert not Route.objects.exists()
    operations.drop_route_file(program_actor(), file_id)
    assert not RouteFile.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not text in UTF-8"),
        (b"route,cycle\n", "work_day is missing"),
        (HEAD.replace("note", "name").encode(), "there twice"),
        (HEAD.encode(), "no lines below"),
    ],
)
def test_what_is_no_file_of_routes_is_not_kept(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        operations.keep_route_file(program_actor(), content, "x.csv", NOW)
    assert not RouteFile.objects.exists()


@pytest.mark.django_db
def test_who_may_not_change_routes_is_told_so_and_what_is_not_there_too() -> None:
    cashier = make_actor("cashier", Role.CASHIER)
    with pytest.raises(NotPermitted):
        operations.keep_route_file(cashier, HEAD.encode(), "x", NOW)
    with pytest.raises(NotPermitted):
        operations.type_reads(cashier, "N-1", DAY, {}, DAY)
    with pytest.raises(NotFound, match="no such file"):
        operations.look_at_route_file(program_actor(), 0)
    with pytest.raises(NotFound, match="no route"):
        queries.route("none", DAY)
    with pytest.raises(NotFound, match="no route"):
        operations.type_reads(program_actor(), "none", DAY, {}, DAY)
    with pytest.raises(NotFound, match="work days are not loaded"):
        work_calendar()
    assert queries.routes(DAY) == []


@pytest.mark.django_db
def test_reads_are_typed_in_the_order_of_the_sheet_and_refused_one_by_one() -> None:
    streets()
    code = route()
    for serial, register in (("M0", 100), ("M1", 200)):
        record_read(program_actor(), serial, date(2026, 1, 2), register, DAY)
    row = queries.route(code, date(2026, 1, 20))
    assert (row.due_on, row.reads_after, row.unread, row.state) == (
        date(2026, 1, 2), date(2025, 12, 25), 1, "partly",
    )  # fmt: skip
    row = queries.route(code, DAY)
    assert (row.due_on, row.unread, row.state) == (AFTER_PULASKI_DAY, 3, "unread")
    first, second, third = queries.stops(row)
    assert (first.serial, first.last_on, first.last_register) == ("M0", date(2026, 1, 2), 100)
    typed = {first.stop_id: 110, second.stop_id: 150, third.stop_id: 7, 0: 1}
    result = operations.type_reads(program_actor(), code, DAY, typed, DAY)
    assert result.recorded == 2
    assert "150 is too low" in result.refusals[second.stop_id]
    assert "No meter is installed" in result.refusals[0]
    row = queries.route(code, DAY)
    assert (row.read, row.estimated, row.unread) == (2, 0, 1)
    assert [stop.stop_id for stop in queries.stops(row, "unread")] == [second.stop_id]
    assert queries.stops(row, "all", 1, 1)[0].stop_id == second.stop_id
    assert queries.stops(row)[0].usage_thousandths == 10_000


@pytest.mark.django_db
def test_estimated_stops_are_counted_apart_and_done_when_all_are_read() -> None:
    points = streets(1)
    code = route(1)
    estimated(points[0], "M0")
    row = queries.route(code, DAY)
    assert (row.read, row.estimated, row.unread, row.state) == (0, 1, 0, "read")
    assert len(queries.stops(row, "estimated")) == 1
    february, march = date(2026, 2, 1), AFTER_PULASKI_DAY
    assert [r.code for r in queries.routes_due(february, march, 2)] == [code]
    assert queries.routes_due(february, march, 1) == []
    assert queries.routes_due(february, DAY, None) == []
    assert queries.routes_due(march, date(2026, 3, 20), None) == []
    assert [r.estimated for r in queries.routes_due(date(2026, 1, 1), DAY, None)] == [0]


def estimated(point: ServicePoint, serial: str, usage: int = 20_000) -> None:
    """Read at 100 in January and estimated until the first of March."""
    record_read(program_actor(), serial, date(2026, 1, 2), 100, DAY)
    record_estimate(
        program_actor(), point.pk, date(2026, 1, 2), date(2026, 3, 1), usage, "mcf", f"e {serial}"
    )


@pytest.mark.django_db
def test_a_read_below_the_estimate_is_kept_and_takes_back_what_was_too_much() -> None:
    points = streets(1)
    code = route(1)
    estimated(points[0], "M0")
    [stop] = queries.stops(queries.route(code, DAY))
    result = operations.type_reads(program_actor(), code, DAY, {stop.stop_id: 113}, DAY)
    assert result.refusals == {}
    read = Read.objects.get(quality="actual", to_on=DAY)
    assert (read.register, read.usage_thousandths) == (113, -7000)
    assert sum(Read.objects.filter(to_on__gt=date(2026, 1, 2)).values_list(
        "usage_thousandths", flat=True)) == 13_000  # fmt: skip


@pytest.mark.django_db
def test_a_read_below_the_last_actual_one_is_refused_as_ever() -> None:
    points = streets(1)
    code = route(1)
    estimated(points[0], "M0")
    [stop] = queries.stops(queries.route(code, DAY))
    result = operations.type_reads(program_actor(), code, DAY, {stop.stop_id: 99}, DAY)
    assert "too low" in result.refusals[stop.stop_id]
    assert not record_low_read(program_actor(), "M0", DAY + timedelta(days=1), 113, DAY)
    assert not record_low_read(program_actor(), "M0", date(2026, 2, 1), 113, DAY)


@pytest.mark.django_db
def test_low_reads_that_an_import_put_aside_are_settled_at_once() -> None:
    points = streets(3)
    for i in (0, 1):
        estimated(points[i], f"M{i}")
    record_read(program_actor(), "M2", date(2026, 1, 2), 100, DAY)
    file = b"meter,read_on,register\nM0,2026-03-02,113\nM1,2026-03-02,90\nM2,2026-03-02,50\n"
    result = import_reads(program_actor(), file, "csv", "handheld.csv", NOW, today=DAY)
    assert (result.reads, result.exceptions) == (0, 3)
    assert settle_low_reads(program_actor(), NOW) == 1
    assert settle_low_reads(program_actor(), NOW) == 0
    assert Read.objects.get(to_on=DAY).usage_thousandths == -7000
    left = ReadException.objects.filter(resolved_at=None).values_list("meter", flat=True)
    assert sorted(left) == ["M1", "M2"]


@pytest.mark.django_db
def test_a_read_below_the_estimate_to_a_closing_is_refused_as_it_stays_billed() -> None:
    [point] = streets(1)
    record_read(program_actor(), "M0", date(2026, 1, 2), 100, DAY)
    record_estimate(
        program_actor(), point.pk, date(2026, 1, 2), date(2026, 2, 1), 20_000, "mcf", "closing C1"
    )
    assert not record_low_read(program_actor(), "M0", DAY, 113, DAY)
    with pytest.raises(ImplausibleRead):
        record_read(program_actor(), "M0", DAY, 113, DAY)


CALENDAR = BusinessCalendar("US", "IL")


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from([1, 2, 3, 4, 6, 12]),
    st.integers(1, 12),
    st.integers(0, 27),
    st.integers(1, 20),
)
def test_every_day_belongs_to_one_turn_whose_due_day_is_a_work_day_of_the_cycle(
    day: date, months: int, first_month: int, early: int, work_day: int
) -> None:
    rhythm = Rhythm(months, first_month, early, work_day)
    turn = turn_of(rhythm, CALENDAR, day)
    assert turn.reads_after < day <= turn.counts_until
    assert CALENDAR.is_business_day(turn.due_on)
    assert (turn.due_on.month - first_month) % months == 0
    first = turn.due_on.replace(day=1)
    in_month = list(CALENDAR.business_days(first, add_months(first, 1)))
    assert in_month.index(turn.due_on) == min(work_day, len(in_month)) - 1
    following = turn_of(rhythm, CALENDAR, turn.counts_until + timedelta(days=1))
    assert following.due_on == turn.next_due_on
    assert following.reads_after == turn.counts_until


@pytest.mark.django_db
def test_by_night_the_low_reads_of_imports_are_settled() -> None:
    points = streets(1)
    estimated(points[0], "M0")
    file = b"meter,read_on,register\nM0,2026-03-02,113\n"
    import_reads(program_actor(), file, "csv", "handheld.csv", NOW, today=DAY)
    settle_low_reads_by_night(0)
    assert Read.objects.get(to_on=DAY).usage_thousandths == -7000


@pytest.mark.django_db
def test_a_stop_with_two_meters_is_not_typed() -> None:
    points = streets(2)
    code = route(1)
    Installation.objects.filter(meter__serial="M1").update(service_point=points[0])
    [stop] = queries.stops(queries.route(code, DAY))
    result = operations.type_reads(program_actor(), code, DAY, {stop.stop_id: 5}, DAY)
    assert "2 meters serve this stop" in result.refusals[stop.stop_id]
