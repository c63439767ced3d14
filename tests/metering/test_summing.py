"""A period that several meters counted is one read: exchanged, compound and deduct meters."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.identity.models import Role as OfficeRole
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.metering import importing, operations
from chamberlain.metering import parts as queries_of_parts
from chamberlain.metering.models import Read, ReadException, ReadPart
from chamberlain.metering.operations import ImplausibleRead
from chamberlain.metering.routes.low_reads import record_low_read
from chamberlain.registry.models import PropertyType
from chamberlain.registry.operations import add_service_point, register_property
from tests.office import DAY, NOW, make_actor

PUT_IN = date(2025, 1, 1)
METER = {"size": '1"', "unit": "ccf", "dials": 4}


def day(number: int) -> date:
    return PUT_IN + timedelta(days=number)


@pytest.fixture
def clerk(db):
    PropertyType.objects.create(code="house", name="House")
    return make_actor("clara", OfficeRole.CLERK)


def place(clerk, name="P1"):
    house = register_property(clerk, name, "4415 N Kedzie Ave", "60625", "house")
    return add_service_point(clerk, house, f"SP-{name}")


@pytest.fixture
def point(clerk):
    made = place(clerk)
    operations.install_meter(clerk, "M1", made, PUT_IN, register=100, **METER)
    return made


def parts(read_id):
    found = ReadPart.objects.filter(read_id=read_id).order_by("to_on", "meter__serial")
    return [
        (p.meter.serial, p.role, p.register_before, p.register_after, p.usage_thousandths)
        for p in found
    ]


def exchange(clerk, point, on, last, serial="M2", **more):
    given = {"last_register": last, "serial": serial, "register": 5, **METER, **more}
    return operations.exchange_meter(clerk, point, on, **given)


def bring(clerk, *lines):
    text = "\n".join(["meter,read_on,register", *lines]).encode()
    return importing.import_reads(clerk, text, "csv", "f.csv", NOW, today=DAY)


def test_two_exchanges_and_a_rollover_within_a_period_are_one_read(clerk, point):
    exchange(clerk, point, day(10), 108)
    exchange(clerk, point, day(20), 25, "M3", register=9_990)
    read = operations.record_read(clerk, "M3", day(60), 12, DAY)
    found = Read.objects.get(pk=read)
    assert (found.from_on, found.to_on, found.usage_thousandths) == (PUT_IN, day(60), 50_000)
    assert parts(read) == [
        ("M1", "main", 100, 108, 8_000),
        ("M2", "main", 5, 25, 20_000),
        ("M3", "main", 9_990, 12, 22_000),
    ]


def test_an_exchange_on_the_day_of_a_read_adds_to_the_next_period(clerk, point):
    operations.record_read(clerk, "M1", day(30), 110, DAY)
    exchange(clerk, point, day(30), 111)
    read = Read.objects.get(pk=operations.record_read(clerk, "M2", day(60), 9, DAY))
    assert (read.from_on, read.usage_thousandths) == (day(30), 5_000)


def test_a_period_that_was_estimated_before_the_exchange_ends_with_it(clerk, point):
    operations.record_estimate(clerk, point, PUT_IN, day(30), 10_000, "ccf", "guess")
    exchange(clerk, point, day(40), 120)
    assert not ReadPart.objects.exists()
    assert [r.usage_thousandths for r in Read.objects.order_by("to_on")] == [10_000, 10_000]


def test_meters_of_another_unit_do_not_add_up_and_end_the_period(clerk, point):
    exchange(clerk, point, day(40), 120, unit="kgal")
    assert Read.objects.get().usage_thousandths == 20_000


def test_what_a_removed_meter_counted_is_billed_with_the_one_before_it(clerk, point):
    exchange(clerk, point, day(10), 108)
    operations.remove_meter(clerk, point, day(20), 9)
    assert Read.objects.get().usage_thousandths == 12_000
    assert not ReadPart.objects.filter(read=None).exists()


def test_a_read_from_before_the_exchange_comes_too_late(clerk, point):
    exchange(clerk, point, day(10), 108)
    for on in (day(5), day(10)):
        with pytest.raises(ImplausibleRead, match=r"was read on January 11"):
            operations.record_read(clerk, "M1", on, 104, DAY)
    operations.record_read(clerk, "M2", day(20), 9, DAY)
    with pytest.raises(ImplausibleRead):
        operations.record_read(clerk, "M1", day(5), 104, DAY)


def test_an_estimate_has_what_the_exchanged_meter_counted_in_it(clerk, point):
    exchange(clerk, point, day(10), 108)
    with pytest.raises(ImplausibleRead, match="estimate no less"):
        operations.record_estimate(clerk, point, PUT_IN, day(30), 7_000, "ccf", "a")
    with pytest.raises(ImplausibleRead, match="was exchanged"):
        operations.record_estimate(clerk, point, PUT_IN, day(5), 9_000, "ccf", "a")
    made = operations.record_estimate(clerk, point, PUT_IN, day(30), 20_000, "ccf", "a")
    assert parts(made) == [("M1", "main", 100, 108, 8_000), ("M2", "main", 5, 17, 12_000)]
    after = operations.record_read(clerk, "M2", day(60), 20, DAY)
    assert Read.objects.get(pk=after).usage_thousandths == 3_000


@pytest.fixture
def compound(clerk, point):
    operations.add_side_meter(clerk, point, "L1", "low_flow", PUT_IN, register=9_998, **METER)
    operations.add_side_meter(clerk, point, "D1", "deduct", PUT_IN, register=10, **METER)
    return point


def test_a_compound_meter_adds_and_a_deduct_meter_subtracts(clerk, compound):
    read = operations.record_read(clerk, "M1", day(30), 140, DAY, beside={"L1": 4, "D1": 16})
    assert Read.objects.get(pk=read).usage_thousandths == 40_000
    assert parts(read) == [
        ("D1", "deduct", 10, 16, 6_000),
        ("L1", "low_flow", 9_998, 4, 6_000),
        ("M1", "main", 100, 140, 40_000),
    ]
    after = operations.record_read(clerk, "M1", day(60), 150, DAY, beside={"L1": 5, "D1": 17})
    assert Read.objects.get(pk=after).usage_thousandths == 10_000


@pytest.mark.parametrize(
    ("register", "beside", "refusal", "words"),
    [
        (140, {}, Invalid, "is read together with meter D1"),
        (140, {"L1": 0, "D1": 16, "X9": 1}, Invalid, "X9 is not read together"),
        (101, {"L1": 9_999, "D1": 40}, ImplausibleRead, "D1 counted 30, more than the 2"),
        (140, {"L1": 9_000, "D1": 16}, ImplausibleRead, "L1 showed 9998"),
        (140, {"L1": 10_000, "D1": 16}, Invalid, "cannot show 10000"),
    ],
)
def test_meters_that_do_not_fit_together_are_refused(
    clerk, compound, register, beside, refusal, words
):
    with pytest.raises(refusal, match=words):
        operations.record_read(clerk, "M1", day(30), register, DAY, beside=beside)
    assert not Read.objects.exists()
    assert not ReadPart.objects.exists()


def test_a_side_meter_that_is_taken_out_counts_in_the_next_read(clerk, compound):
    ids = {s.meter.serial: s.pk for s in operations.recording.side_meters(compound)}
    with pytest.raises(ImplausibleRead, match="was put in on"):
        operations.remove_side_meter(clerk, ids["D1"], PUT_IN, 12)
    operations.remove_side_meter(clerk, ids["D1"], day(10), 14)
    with pytest.raises(NotFound):
        operations.remove_side_meter(clerk, ids["D1"], day(10), 14)
    with pytest.raises(ImplausibleRead, match="taken out on"):
        operations.record_read(clerk, "M1", day(5), 110, DAY, beside={"L1": 2})
    read = operations.record_read(clerk, "M1", day(30), 140, DAY, beside={"L1": 2})
    assert Read.objects.get(pk=read).usage_thousandths == 40_000
    operations.remove_meter(clerk, compound, day(40), 141, beside={"L1": 2})
    assert not operations.recording.side_meters(compound)


def test_a_read_below_an_estimate_is_not_taken_alone_of_meters_read_together(clerk, point):
    operations.record_estimate(clerk, point, PUT_IN, day(30), 10_000, "ccf", "guess")
    operations.add_side_meter(clerk, point, "D1", "deduct", day(30), **METER)
    assert not record_low_read(clerk, "M1", day(60), 105, DAY)
    assert Read.objects.count() == 1


def test_who_is_read_together_is_checked(clerk, compound):
    add = operations.add_side_meter
    with pytest.raises(Invalid, match="only the same unit"):
        add(clerk, compound, "D2", "deduct", DAY, size='1"', unit="kgal")
    with pytest.raises(Invalid, match="low flow of a compound"):
        add(clerk, compound, "D2", "main", DAY, **METER)
    with pytest.raises(AlreadyDone):
        add(clerk, compound, "L1", "low_flow", DAY, **METER)
    with pytest.raises(AlreadyDone, match="take it out there"):
        operations.install_meter(clerk, "L1", place(clerk, "P2"), DAY, **METER)
    operations.record_read(clerk, "M1", day(30), 140, DAY, beside={"L1": 4, "D1": 16})
    with pytest.raises(ImplausibleRead, match="that day or a later one"):
        add(clerk, compound, "D2", "deduct", day(20), **METER)
    with pytest.raises(Refused, match="nobody can estimate"):
        operations.record_estimate(clerk, compound, day(30), day(60), 9_000, "ccf", "a")


def test_a_deduct_meter_that_is_billed_elsewhere_is_read_for_both(clerk, point):
    other = place(clerk, "P2")
    operations.install_meter(clerk, "D1", other, PUT_IN, **METER)
    operations.add_side_meter(clerk, point, "D1", "deduct", PUT_IN, **METER)
    result = bring(clerk, "M1,2025-02-01,150", "D1,2025-02-01,20")
    assert (result.reads, result.exceptions) == (2, 0)
    found = {r.meter.serial: r.usage_thousandths for r in Read.objects.all()}
    assert found == {"M1": 30_000, "D1": 20_000}


def test_an_imported_file_names_meters_that_do_not_fit_together(clerk, compound):
    result = bring(
        clerk,
        "M1,2025-02-01,140",
        "L1,2025-02-01,4",
        "M1,2025-03-01,141",
        "L1,2025-03-01,5",
        "D1,2025-03-01,90",
        "M1,2025-04-01,150",
        "L1,2025-04-01,6",
        "D1,2025-04-01,17",
        "M1,2025-05-01,160",
        "L1,2025-05-01,1",
        "D1,2025-05-01,18",
        "M1,2025-06-01,160",
        "L1,2025-06-01,20000",
        "D1,2025-06-01,18",
        "M1,2025-07-01,160",
        "L1,2025-07-01,7",
        "D1,2025-07-01,18",
    )
    assert [(r.from_on, r.usage_thousandths) for r in Read.objects.order_by("to_on")] == [
        (PUT_IN, 51_000),
        (date(2025, 4, 1), 10_000),
    ]
    assert [(e.line, e.meter, e.code) for e in ReadException.objects.order_by("line")] == [
        (2, "M1", "register_missing"),
        (3, "L1", "read_alone"),
        (4, "M1", "deduct_larger"),
        (5, "L1", "read_alone"),
        (6, "D1", "read_alone"),
        (10, "M1", "side_lower"),
        (11, "L1", "read_alone"),
        (12, "D1", "read_alone"),
        (13, "M1", "side_dials"),
        (14, "L1", "read_alone"),
        (15, "D1", "read_alone"),
    ]
    assert result.exceptions == 11
    assert all(e.sentence.endswith(".") for e in ReadException.objects.all())


def test_an_imported_read_from_before_a_meter_was_taken_out_is_put_aside(clerk, compound):
    ids = {s.meter.serial: s.pk for s in operations.recording.side_meters(compound)}
    operations.remove_side_meter(clerk, ids["L1"], day(20), 4)
    bring(clerk, "M1,2025-01-10,110", "D1,2025-01-10,11")
    assert ReadException.objects.order_by("line").first().code == "before_it_was_taken_out"


registers = st.integers(0, 9_999)


@settings(max_examples=40, deadline=None)
@given(
    start=st.tuples(registers, registers, registers, registers),
    used=st.lists(st.tuples(*[st.integers(0, 200)] * 3), min_size=1, max_size=4),
    exchanged=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 200)),
)
def test_a_read_is_the_sum_of_its_parts_and_a_file_makes_the_reads_that_were_typed(
    django_db_blocker, django_db_setup, start, used, exchanged
):
    with django_db_blocker.unblock(), transaction.atomic():
        PropertyType.objects.get_or_create(code="house", name="House")
        clerk = make_actor("clara", OfficeRole.CLERK)
        typed = _told(clerk, "T", start, used, exchanged, is_typed=True)
        imported = _told(clerk, "F", start, used, exchanged, is_typed=False)
        assert typed == imported == _oracle(used, exchanged)
        for read in Read.objects.all():
            assert read.usage_thousandths == sum(p.signed_thousandths for p in read.parts.all())
        transaction.set_rollback(True)


def _oracle(used, exchanged):
    """What each period comes to; one that a deduct meter makes negative is no read, and what was
    used in it belongs to the next."""
    found, rest = [], 0
    for number, (main, low, deduct) in enumerate(used):
        rest += main + low - deduct
        if exchanged and exchanged[0] == number:
            rest += exchanged[1]
        if rest >= 0:
            found.append(rest * 1_000)
            rest = 0
    return found


def _told(clerk, name, start, used, exchanged, is_typed):
    point = place(clerk, name)
    shown = dict(zip((f"{name}1", f"{name}L", f"{name}D"), start[:3], strict=True))
    main = f"{name}1"
    operations.install_meter(clerk, main, point, PUT_IN, register=shown[main], **METER)
    for serial, role in ((f"{name}L", "low_flow"), (f"{name}D", "deduct")):
        operations.add_side_meter(
            clerk, point, serial, role, PUT_IN, register=shown[serial], **METER
        )
    for number, counts in enumerate(used):
        on = day(30 * (number + 1))
        if exchanged and exchanged[0] == number:
            last = (shown[main] + exchanged[1]) % 10_000
            if _counts_over(shown[main], last):
                operations.exchange_meter(
                    clerk, point, on - timedelta(days=9), last_register=last,
                    serial=f"{name}2", register=start[3], **METER,
                )  # fmt: skip
                del shown[main]
                main = f"{name}2"
                shown = {main: start[3], **shown}
        for serial, count in zip((main, f"{name}L", f"{name}D"), counts, strict=True):
            shown[serial] = (shown[serial] + count) % 10_000
        if is_typed:
            beside = {serial: shown[serial] for serial in shown if serial != main}
            try:
                with transaction.atomic():
                    operations.record_read(clerk, main, on, shown[main], DAY, beside=beside)
            except ImplausibleRead:
                continue
        else:
            bring(clerk, *(f"{serial},{on},{register}" for serial, register in shown.items()))
    reads = Read.objects.filter(service_point_id=point).order_by("to_on")
    return [r.usage_thousandths for r in reads]


def _counts_over(before, last):
    return last >= before or (last + 10_000 - before) * 10 <= 10_000


def test_what_each_meter_counted_is_said_by_day_and_a_deduct_is_below_zero(clerk, compound):
    exchange(clerk, compound, day(10), 108)
    assert [row.meter for row in queries_of_parts.waiting_parts(compound)] == ["M1"]
    read = operations.record_read(clerk, "M2", day(30), 9, DAY, beside={"L1": 0, "D1": 11})
    assert [
        (row.meter, row.usage_thousandths) for row in queries_of_parts.parts_of_reads([read])
    ] == [
        ("M1", 8_000),
        ("L1", 2_000),
        ("M2", 4_000),
        ("D1", -1_000),
    ]
    shown = [(row.serial, row.register) for row in queries_of_parts.side_meters(compound)]
    assert shown == [("D1", 11), ("L1", 0)]


def test_a_side_meter_that_is_taken_out_while_its_service_is_read_is_counted_once(own_database):
    PropertyType.objects.create(code="house", name="House")
    clerk = make_actor("clara", OfficeRole.CLERK)
    point = place(clerk)
    operations.install_meter(clerk, "M1", point, PUT_IN, register=100, **METER)
    side = operations.add_side_meter(clerk, point, "D1", "deduct", PUT_IN, register=10, **METER)

    def take_out():
        try:
            operations.remove_side_meter(clerk, side, day(40), 20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            operations.record_read(clerk, "M1", day(30), 140, DAY, beside={"D1": 16})
            taken_out = other.submit(take_out)
            wait([taken_out], timeout=0.5)
        taken_out.result()
    counted = ReadPart.objects.filter(role="deduct").order_by("to_on")
    assert [part.usage_thousandths for part in counted] == [6_000, 4_000]
