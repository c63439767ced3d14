"""A file of reads is read to its end, and every bad record is named."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from django.db import connection

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted
from chamberlain.metering import importing, operations, queries
from chamberlain.metering.models import Read
from chamberlain.registry.models import PropertyType
from chamberlain.registry.operations import (
    add_service_point,
    open_account,
    register_customer,
    register_property,
)
from chamberlain.registry.queries import account_summary
from tests.office import DAY, NOW, make_actor

PUT_IN = date(2026, 1, 1)


@pytest.fixture
def clerk(db):
    PropertyType.objects.create(code="house", name="House")
    clerk = make_actor("clara", Role.CLERK)
    rosa = register_customer(clerk, "person", "Rosa Muñoz")
    for serial, register in (("M1", 100), ("M2", 9_990)):
        house = register_property(clerk, f"P-{serial}", "1 N State St", "60601", "house")
        point = add_service_point(clerk, house, f"SP-{serial}")
        open_account(clerk, rosa, house, PUT_IN, f"CH-{serial}")
        operations.install_meter(
            clerk, serial, point, PUT_IN, size='1"', unit="ccf", dials=4, register=register
        )
    return clerk


def bring(clerk, text, **more):
    content = "\n".join(line.strip() for line in text.strip().splitlines()).encode()
    return importing.import_reads(clerk, content, "csv", "march.csv", NOW, today=DAY, **more)


GOOD = """
    meter,read_on,register,quality,verified
    M1,2026-02-01,116,,
    M2,2026-02-01,12,estimate,true
    M1,2026-03-01,130,customer,false
"""


def stored():
    rows = Read.objects.order_by("meter__serial", "to_on")
    return [(r.meter.serial, r.usage_thousandths, r.quality, r.is_verified) for r in rows]


def test_reads_follow_each_other_within_a_file_and_over_a_rollover(clerk):
    result = bring(clerk, GOOD)
    assert (result.reads, result.exceptions, result.faults) == (3, 0, ())
    assert stored() == [
        ("M1", 16_000, "actual", False),
        ("M1", 14_000, "customer", False),
        ("M2", 22_000, "estimate", True),
    ]


def test_the_same_file_again_changes_nothing(clerk):
    first = bring(clerk, GOOD)
    again = bring(clerk, GOOD)
    assert (again.import_id, again.reads, again.came_before) == (first.import_id, 3, True)
    assert len(stored()) == 3


def test_a_parquet_file_is_read_like_a_csv(clerk):
    frame = pl.DataFrame(
        {"Meter": ["M1", "M2"], "read_on": [date(2026, 2, 1)] * 2, "register": [116, 12]}
    )
    file = io.BytesIO()
    frame.write_parquet(file)
    result = importing.import_reads(clerk, file.getvalue(), "parquet", "f", NOW, today=DAY)
    assert result.reads == 2
    assert stored()[0] == ("M1", 16_000, "actual", False)


BAD = """
    meter,read_on,register,quality,verified
    M1,2026-02-01,116,,
    ,02/01/2026,12x,guess,perhaps
    M2,2026-02-30,12,,
    M2,2026-02-01,-5,,
    M2,2026-02-01,1.5,,
"""


def test_every_malformed_record_is_listed_with_its_line_and_nothing_is_kept(clerk):
    with pytest.raises(BadFile) as refused:
        bring(clerk, BAD)
    assert [record.place for record in refused.value.records] == [
        "line 3", "line 4", "line 5", "line 6",
    ]  # fmt: skip
    assert str(refused.value.records[0].reason).count(";") == 4
    assert stored() == []
    assert queries.imports() == []


def test_the_good_records_are_kept_when_that_was_asked(clerk):
    result = bring(clerk, BAD, keep_good=True)
    assert result.reads == 1
    assert len(result.faults) == 4


def test_a_line_with_too_many_or_too_few_fields_is_named_and_the_others_are_read(clerk):
    text = "meter,read_on,register\nM1,2026-02-01,116,9,9\n\nM1,2026-02-01\nM2,2026-02-01,12"
    result = bring(clerk, text, keep_good=True)
    assert result.reads == 1
    assert [fault.place for fault in result.faults] == ["line 2", "line 4"]


WORKLIST = """
    meter,read_on,register
    M9,2026-02-01,116
    M1,2026-02-01,90
    M1,2026-02-02,110
    M1,2026-02-02,111
    M2,2026-01-01,9995
    M2,2026-02-01,99999
    M2,2027-01-01,12
"""


def test_what_cannot_be_a_read_goes_to_the_worklist_and_holds_back_nobody_else(clerk):
    result = bring(clerk, WORKLIST)
    assert (result.reads, result.exceptions) == (1, 6)
    assert {(row.line, row.code) for row in queries.worklist(result.import_id)} == {
        (2, "unknown_meter"),
        (3, "lower_than_before"),
        (5, "not_after_the_last"),
        (6, "not_after_the_last"),
        (7, "dials"),
        (8, "in_the_future"),
    }
    assert stored() == [("M1", 10_000, "actual", False)]
    assert all(row.sentence.endswith(".") for row in queries.worklist())


def test_an_item_of_the_worklist_is_settled_once_with_a_reason(clerk):
    result = bring(clerk, WORKLIST)
    item = queries.worklist()[0]
    with pytest.raises(Invalid):
        operations.resolve_exception(clerk, item.exception_id, " ", NOW)
    operations.resolve_exception(clerk, item.exception_id, "Meter was never ours", NOW)
    assert len(queries.worklist()) == 5
    assert queries.imports()[0].exceptions == 5
    assert queries.imports()[0].import_id == result.import_id
    with pytest.raises(AlreadyDone):
        operations.resolve_exception(clerk, item.exception_id, "Again", NOW)
    with pytest.raises(NotFound):
        operations.resolve_exception(clerk, 0, "Nothing", NOW)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2", "meter,read_on\nM1,2026-02-01", "meter,meter,read_on,register"]
)
def test_a_file_that_is_no_file_of_reads_is_refused(clerk, text):
    with pytest.raises(BadFile, match="not a file of reads"):
        bring(clerk, text)


def test_a_damaged_parquet_file_is_refused(clerk):
    with pytest.raises(BadFile, match="Parquet"):
        importing.import_reads(clerk, b"PAR1 no", "parquet", "f", NOW, today=DAY)


def test_a_parquet_file_with_lists_is_refused(clerk):
    file = io.BytesIO()
    pl.DataFrame({"meter": [["M1"]], "read_on": ["x"], "register": [1]}).write_parquet(file)
    with pytest.raises(BadFile, match="holds lists"):
        importing.import_reads(clerk, file.getvalue(), "parquet", "f", NOW, today=DAY)


def test_another_format_and_another_role_are_refused(clerk):
    with pytest.raises(Invalid, match="format"):
        importing.import_reads(clerk, b"x", "xlsx", "f", NOW, today=DAY)
    with pytest.raises(NotPermitted):
        bring(make_actor("casey", Role.CASHIER), GOOD)


def test_a_file_from_disk_and_with_a_byte_order_mark_is_read(clerk, tmp_path):
    path = tmp_path / "reads.csv"
    path.write_bytes(b"\xef\xbb\xbfmeter,read_on,register\r\nM1,2026-02-01,116\r\n")
    assert importing.import_reads(clerk, path, "csv", "f", NOW, today=DAY).reads == 1


def test_usage_history_shows_an_accounts_reads_the_oldest_first(clerk):
    bring(clerk, GOOD)
    account = account_summary("CH-M1").account_id
    assert [row.usage_thousandths for row in queries.usage_history(account)] == [16_000, 14_000]


@pytest.mark.slow
def test_a_hundred_thousand_reads_come_in_within_seconds(clerk):
    first = PUT_IN + timedelta(days=1)
    lines = [f"X{i},{first},5" for i in range(100_000)]
    result = bring(clerk, "meter,read_on,register\n" + "\n".join(lines))
    assert result.exceptions == 100_000


def test_two_files_that_come_at_once_count_no_usage_twice(own_database):
    PropertyType.objects.create(code="house", name="House")
    clerk = make_actor("clara", Role.CLERK)
    house = register_property(clerk, "P-M1", "1 N State St", "60601", "house")
    point = add_service_point(clerk, house, "SP-M1")
    operations.install_meter(clerk, "M1", point, PUT_IN, size='1"', unit="ccf", register=0)

    def bring_one(number):
        try:
            return bring(clerk, f"meter,read_on,register\nM1,2026-02-{number:02d},{number * 10}")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bring_one, range(1, 9)))
    rows = list(Read.objects.order_by("to_on"))
    assert all(one.to_on == other.from_on for one, other in pairwise(rows))
    assert sum(row.usage_thousandths for row in rows) == rows[-1].register * 1000


def test_the_same_file_sent_twice_at_once_is_imported_once(own_database):
    clerk = make_actor("clara", Role.CLERK)

    def bring_it(_):
        try:
            return bring(clerk, "meter,read_on,register\nM9,2026-02-01,5").import_id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(bring_it, range(6)))) == 1
    assert len(queries.worklist()) == 1
