"""Bills on paper: every one once, in postal order, on all cores or a cluster."""

import csv
import io
from pathlib import Path

import pytest
from distributed import LocalCluster
from django.db.backends.postgresql.psycopg_any import DateRange
from pypdf import PdfReader

from chamberlain.billing import printing
from chamberlain.billing.models import Bill
from chamberlain.billing.printing import PrintedRun, print_day, print_run
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import NotFound, NotPermitted
from chamberlain.registry import preferences
from chamberlain.registry.models import AccountHolding, Customer, Property
from chamberlain.registry.operations import add_contact
from tests.billing.rebilling_scenes import load_limits, new, rebill, take_back
from tests.billing.town import SINCE, Town, make_town, plan
from tests.office import DAY, make_actor

CODES = ("60640", "60601", "60603", "60602")


def printed_town() -> tuple[Town, int]:
    """Four accounts with holders in four postal codes, billed by a run."""
    town = make_town(4)
    for code, agreement in zip(CODES, town.agreements, strict=True):
        place = Property.objects.get(service_points=agreement.service_point_id)
        Property.objects.filter(pk=place.pk).update(postal_code=code)
        AccountHolding.objects.create(
            account_id=agreement.account_id,
            customer=Customer.objects.create(kind="person", name=f"Holder {code}"),
            property=place,
            period=DateRange(SINCE, None),
        )
    run_id = plan(town)
    run(run_id)
    return town, run_id


def lines_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def words_of(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


@pytest.mark.django_db
def test_bills_come_in_postal_order_with_a_list_of_who_gets_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, run_id = printed_town()
    monkeypatch.setattr(printing, "FILE_BILLS", 3)
    done = print_run(program_actor(), run_id, tmp_path / "out")
    assert done == PrintedRun(bills=4, files=2, by_email=0)
    mailing = lines_of(tmp_path / "out" / f"run-{run_id}-mailing.csv")
    assert [line["name"] for line in mailing] == [f"Holder {code}" for code in sorted(CODES)]
    assert [line["place_in_file"] for line in mailing] == ["1", "2", "3", "1"]
    for line in mailing:
        page = words_of(tmp_path / "out" / line["file"])[int(line["place_in_file"]) - 1]
        assert line["bill"] in page
        assert line["name"] in page
    numbers = set(Bill.objects.values_list("number", flat=True))
    assert {line["bill"] for line in mailing} == numbers
    assert town.agreements


@pytest.mark.django_db
def test_no_paper_for_who_wants_none_and_none_of_what_was_taken_back(tmp_path: Path) -> None:
    town, run_id = printed_town()
    electronic, wrong = (
        Bill.objects.get(account_id=agreement.account_id) for agreement in town.agreements[:2]
    )
    holder = Customer.objects.get(name=f"Holder {CODES[0]}")
    add_contact(program_actor(), holder.pk, "email", "holder@example.org")
    preferences.choose_mail(program_actor(), holder.pk, "en", True)
    take_back(wrong.number, town.day.pk)
    done = print_run(program_actor(), run_id, tmp_path)
    assert done == PrintedRun(bills=2, files=1, by_email=1)
    [line] = lines_of(tmp_path / f"run-{run_id}-by-email.csv")
    assert (line["bill"], line["email"]) == (electronic.number, "holder@example.org")


@pytest.mark.django_db
def test_only_who_may_see_names_prints_and_only_runs_that_exist(tmp_path: Path) -> None:
    _, run_id = printed_town()
    with pytest.raises(NotPermitted):
        print_run(make_actor("audrey", Role.AUDITOR), run_id, tmp_path)
    with pytest.raises(NotFound, match="no bill run 999"):
        print_run(program_actor(), 999, tmp_path)
    assert not list(tmp_path.iterdir())


def test_local_workers_and_a_cluster_print_the_same(
    own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run_id = printed_town()
    monkeypatch.setattr(printing, "FILE_BILLS", 2)
    print_run(program_actor(), run_id, tmp_path / "here")
    print_run(program_actor(), run_id, tmp_path / "cores", workers=2)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        print_run(program_actor(), run_id, tmp_path / "dask", dask=cluster.scheduler_address)
    here = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert len(here) == 4
    for other in ("cores", "dask"):
        for name in here:
            first, second = tmp_path / "here" / name, tmp_path / other / name
            if name.endswith(".pdf"):
                assert words_of(first) == words_of(second)
            else:
                assert first.read_text() == second.read_text()


@pytest.mark.django_db
def test_a_bill_that_no_run_made_is_printed_by_its_day(tmp_path: Path) -> None:
    town, _ = printed_town()
    load_limits()
    agreement = town.agreements[0]
    Customer.objects.filter(name=f"Holder {CODES[0]}").update(name="=1+1")
    assert print_day(program_actor(), DAY, tmp_path).bills == 0
    wrong = Bill.objects.get(account_id=agreement.account_id).read_id
    assert wrong is not None
    rebill(town, new(agreement.account_id, Corrections(reads={wrong: 3_000})))
    done = print_day(program_actor(), DAY, tmp_path)
    assert done == PrintedRun(bills=1, files=1, by_email=0)
    [line] = lines_of(tmp_path / f"day-{DAY}-mailing.csv")
    assert line["bill"] == Bill.objects.exclude(replaces=None).get().number
    assert line["name"] == "'=1+1"
    [page] = words_of(tmp_path / line["file"])
    assert line["bill"] in page
    with pytest.raises(NotPermitted):
        print_day(make_actor("audrey", Role.AUDITOR), DAY, tmp_path)
