"""A bill run from reads to posted bills, however it is run and however often it is cut off."""

import os
import signal
import subprocess
import sys
import time

import pytest
from distributed import LocalCluster
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing import documents, explanation, operations, queries
from chamberlain.billing.models import Bill, Chunk, Hold, ServiceAgreement
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from tests.billing.town import FROM, TO, make_read, make_town, plan
from tests.office import DAY, NOW

WATER = 469  # cents for a thousand gallons


def _expected_cents(accounts: int) -> int:
    return sum(2 * WATER * (i + 1) for i in range(accounts))


@pytest.mark.django_db
def test_a_run_bills_every_read_once_however_often_it_is_run() -> None:
    town = make_town(25)
    run_id = plan(town)
    assert plan(town) == run_id
    result = run(run_id)
    assert (result.bills, result.held, result.chunks) == (25, 0, 3)
    assert result.cents == _expected_cents(25)
    assert run(run_id) == result
    assert run(plan(town, "run-2")).bills == 0
    assert queries.run_status(run_id).status == "done"
    assert queries.billed_by_class(run_id) == [("residential", 25, _expected_cents(25))]
    assert prove(program_actor()).differences == ()


def test_local_workers_post_the_same_bills(own_database: str) -> None:
    town = make_town(30)
    result = run(plan(town), workers=2)
    assert (result.bills, result.cents) == (30, _expected_cents(30))
    assert prove(program_actor()).holds


def test_a_dask_cluster_posts_the_same_bills(own_database: str) -> None:
    town = make_town(30)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        result = run(plan(town), dask=cluster.scheduler_address)
    assert (result.bills, result.cents) == (30, _expected_cents(30))
    assert prove(program_actor()).holds


_RUN_ALONE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "chamberlain.settings"
import django
django.setup()
from chamberlain.billing.running import run
run(int(sys.argv[1]), progress=lambda p: print(p.done, flush=True))
"""


def test_a_run_that_is_killed_goes_on_where_it_was_and_bills_nobody_twice(
    own_database: str,
) -> None:
    town = make_town(200)
    run_id = plan(town, chunk_bills=2)
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN_ALONE, str(run_id)],
        env={**os.environ, "CHAMBERLAIN_DATABASE": own_database},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    posted = Chunk.objects.filter(run_id=run_id).exclude(posted_at=None).count()
    assert 0 < posted < 100
    assert prove(program_actor()).holds
    result = run(run_id)
    assert (result.bills, result.cents) == (200, _expected_cents(200))
    assert Bill.objects.values("read").distinct().count() == 200
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_a_run_stops_when_asked_and_keeps_what_is_posted() -> None:
    town = make_town(25)
    run_id = plan(town)
    actor = program_actor()
    result = run(run_id, progress=lambda _: operations.request_stop(actor, run_id))
    assert (result.done, result.chunks) == (1, 3)
    assert queries.run_status(run_id).status == "stopped"
    assert run(run_id).bills == 25
    with pytest.raises(NotFound, match="no bill run"):
        operations.request_stop(actor, 999_999)
    with pytest.raises(NotFound, match="no bill run"):
        run(999_999)


@pytest.mark.django_db
def test_what_cannot_be_billed_waits_on_the_worklist_and_holds_back_nobody() -> None:
    town = make_town(4, reads=False)
    normal, absurd, negative, _ = town.agreements
    make_read(normal, 5000)
    ServiceAgreement.objects.filter(pk=absurd.pk).update(normal_daily_thousandths=10)
    make_read(absurd, 90_000)
    make_read(negative, -1000)
    run_id = plan(town, reads_after=FROM)
    assert (run(run_id).bills, run(run_id).held) == (1, 3)
    held = {row.code: row for row in queries.worklist(run_id)}
    assert set(held) == {"absurd_usage", "negative_usage", "no_read"}
    assert "20 times" in held["absurd_usage"].sentence
    actor = program_actor()
    hold_id = held["no_read"].hold_id
    with pytest.raises(Invalid, match="what was done"):
        operations.resolve_hold(actor, hold_id, " ", NOW)
    operations.resolve_hold(actor, hold_id, "Read ordered", NOW)
    with pytest.raises(AlreadyDone):
        operations.resolve_hold(actor, hold_id, "Again", NOW)
    with pytest.raises(NotFound):
        operations.resolve_hold(actor, 999_999, "Nothing", NOW)
    assert queries.unresolved_count(run_id) == 2
    assert Hold.objects.get(pk=hold_id).resolution == "Read ordered"


@pytest.mark.django_db
def test_a_read_over_a_change_of_holder_is_shared_by_days_and_adds_up() -> None:
    town = make_town(1, reads=False)
    [first] = town.agreements
    middle = FROM.replace(day=21)
    [second_account] = ledger.open_accounts(["T99999"], FROM)
    ServiceAgreement.objects.filter(pk=first.pk).update(period=DateRange(None, middle))
    ServiceAgreement.objects.create(
        account_id=second_account,
        service_point_id=first.service_point_id,
        tariff_id=first.tariff_id,
        rate_class="residential",
        period=DateRange(middle, None),
    )
    make_read(first, 10_000)
    run_id = plan(town)
    assert run(run_id).bills == 2
    lines = queries.lines_of_bills(queries.bill_ids_of_run(run_id, 10))
    water = [line.quantity_thousandths for rows in lines.values() for line in rows[:1]]
    assert water == [3390, 6610]
    assert {(bill.from_on, bill.to_on) for bill in Bill.objects.all()} == {
        (FROM, middle),
        (middle, TO),
    }


def _give_credit(account_id: int, day_id: int, cents: int) -> None:
    leg = Leg(
        chart.ledger_account_id(chart.BANK),
        chart.ledger_account_id(chart.CREDITS),
        cents,
        "none",
        account_id,
    )
    post(NewEntry(day_id, "payment", program_actor().user_id, NOW, "R-1", [leg]))


@pytest.mark.django_db
def test_the_next_bill_uses_credit_first_for_what_comes_first() -> None:
    town = make_town(2)
    account_id = town.agreements[0].account_id
    _give_credit(account_id, town.day.pk, 600)
    run_id = plan(town)
    run(run_id)
    left = balance(account_id)
    assert (left.owed_cents, left.credit_cents) == (2 * WATER - 600, 0)
    [bill] = queries.bills_of_account(account_id)
    assert (bill.previous_balance_cents, bill.open_cents) == (-600, 2 * WATER - 600)
    water, sewer = queries.lines_of_bill(bill.bill_id)
    assert (water.open_cents, sewer.open_cents) == (0, 2 * WATER - 600)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_a_bill_is_never_changed() -> None:
    town = make_town(1)
    run(plan(town))
    for statement in ("UPDATE billing_bill SET total_cents = 0", "DELETE FROM billing_billline"):
        with (
            pytest.raises(DatabaseError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


@pytest.mark.django_db
def test_a_run_needs_an_open_day_a_tariff_and_dates_in_order() -> None:
    town = make_town(1)
    untold = operations.RunPlan("x", "none", town.day.pk, DAY, TO)
    early = operations.RunPlan("x", "chicago-metered", town.day.pk, FROM, TO)
    nowhere = operations.RunPlan("x", "chicago-metered", 999_999, DAY, TO)
    with pytest.raises(NotFound, match="no tariff"):
        operations.plan_bill_run(program_actor(), untold, NOW, "k1")
    with pytest.raises(Invalid, match="season"):
        plan(town, "k2", is_metered=False)
    with pytest.raises(Invalid, match="first day of reads"):
        plan(town, "k3", reads_after=TO)
    with pytest.raises(Invalid, match="due date"):
        operations.plan_bill_run(program_actor(), early, NOW, "k4")
    with pytest.raises(NotFound, match="business day"):
        operations.plan_bill_run(program_actor(), nowhere, NOW, "k5")
    run_id = plan(town)
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    with pytest.raises(DayClosed):
        run(run_id)
    with pytest.raises(DayClosed):
        plan(town, "k6")
    assert not Bill.objects.exists()


@pytest.mark.django_db
def test_a_bill_explains_itself_against_the_one_before() -> None:
    town = make_town(1, reads=False)
    [agreement] = town.agreements
    make_read(agreement, 4000, from_on=FROM.replace(year=2025, month=11), to_on=FROM)
    make_read(agreement, 6000, quality="estimate")
    run(plan(town))
    this, before = queries.bills_of_account(agreement.account_id)
    lines, lines_before = (queries.lines_of_bill(row.bill_id) for row in (this, before))
    told = explanation.explain_bill(this, lines, queries.bill_before(this), lines_before)
    assert told.change_cents == this.total_cents - before.total_cents
    assert sum(part.change_cents for part in told.differences) == told.change_cents
    assert any("6 thousand gallons after 4" in sentence for sentence in told.sentences)
    assert any("estimated read" in sentence for sentence in told.sentences)
    assert explanation.explain_line(lines[0]) == ["6 thousand gallons at $4.69 = $28.14"]
    first = explanation.explain_bill(before, lines_before, None, [])
    assert first.sentences == ("This is the first bill of this service.",)
    pdf = documents.bill_pdf([this.bill_id, before.bill_id])
    assert pdf.startswith(b"%PDF-")
