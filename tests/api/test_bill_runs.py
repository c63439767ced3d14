"""Bill runs over the API: planned once, handed to the workers, stopped."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from chamberlain.billing.models import BillRun
from chamberlain.ledger.models import BusinessDay
from chamberlain.tariffs.models import Tariff
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
KEY = "march-2026-metered"
BODY = {
    "name": "March, metered",
    "tariff": "water",
    "due_on": "2026-03-24",
    "reads_up_to": "2026-03-01",
}


@pytest.fixture(autouse=True)
def tariff() -> Tariff:
    return Tariff.objects.create(
        code="water", name="Water", kind="city", unit="ccf", proration="by_day", source="a test"
    )


def test_a_run_is_planned_once(call: Caller, day: BusinessDay) -> None:
    first = call("POST", "/bill-runs", BODY, Idempotency_Key=KEY)
    second = call("POST", "/bill-runs", BODY, Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200)
    assert first.body["run_id"] == second.body["run_id"]
    assert first.body["status"] == "planned"
    assert ProcrastinateJob.objects.count() == 0
    assert [run["run_id"] for run in call("GET", "/bill-runs").body["items"]] == [
        first.body["run_id"]
    ]


def test_a_run_that_is_to_start_is_handed_to_the_workers_once(
    call: Caller, day: BusinessDay
) -> None:
    for _ in range(2):
        answer = call("POST", "/bill-runs", {**BODY, "start": True}, Idempotency_Key=KEY)
    [job] = ProcrastinateJob.objects.all()
    assert job.args["run_id"] == answer.body["run_id"]


def test_a_key_is_not_used_for_another_run(call: Caller, day: BusinessDay) -> None:
    call("POST", "/bill-runs", BODY, Idempotency_Key=KEY)
    answer = call("POST", "/bill-runs", {**BODY, "name": "April"}, Idempotency_Key=KEY)
    assert answer.status == 422
    assert BillRun.objects.count() == 1


def test_a_planned_run_is_started_and_stopped(call: Caller, day: BusinessDay) -> None:
    run_id = call("POST", "/bill-runs", BODY, Idempotency_Key=KEY).body["run_id"]
    assert call("POST", f"/bill-runs/{run_id}/start").status == 202
    assert ProcrastinateJob.objects.count() == 1
    assert call("POST", f"/bill-runs/{run_id}/stop").status == 202
    assert BillRun.objects.get().stop_requested
    assert call("GET", f"/bill-runs/{run_id}").body["name"] == "March, metered"
    assert call("GET", f"/bill-runs/{run_id}/holds").body == {"items": [], "next": None}

    BillRun.objects.update(status="done")
    answer = call("POST", f"/bill-runs/{run_id}/start")
    assert answer.status == 409
    assert "is done" in answer.problem()


@pytest.mark.parametrize(
    ("bad", "status", "place"),
    [
        ({"tariff": "nothing"}, 404, "body.tariff"),
        ({"due_on": "2026-03-01"}, 422, "body.due_on"),
        ({"due_on": 20260324}, 422, "body.due_on"),
        ({"due_on": "soon"}, 422, "body.due_on"),
        ({"is_metered": False}, 422, "body.season_to_on"),
        ({"cycle_months": 0}, 422, "body.cycle_months"),
        ({"colour": "red"}, 422, "body.colour"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_at_its_field(
    call: Caller, day: BusinessDay, bad: dict[str, object], status: int, place: str
) -> None:
    answer = call("POST", "/bill-runs", {**BODY, **bad}, Idempotency_Key=KEY)
    assert answer.status == status, answer.body
    assert [error["place"] for error in answer.body["errors"]] == [place]
    assert not BillRun.objects.exists()


def test_a_run_needs_an_open_day(call: Caller, revenue_office: object) -> None:
    answer = call("POST", "/bill-runs", BODY, Idempotency_Key=KEY)
    assert answer.status == 409
    assert "no open business day" in answer.problem()


@pytest.mark.parametrize("path", ["/bill-runs/7", "/bill-runs/7/holds"])
def test_an_unknown_run_is_not_found(call: Caller, path: str) -> None:
    assert call("GET", path).status == 404
